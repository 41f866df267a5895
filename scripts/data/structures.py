"""The structures of a cohort's label maps: which numbers each has, as a table says, or each number by itself."""

import csv
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError, some
from ..progress import with_progress
from .checks.whole_file import Unusable
from .lesion_voxels import paths_of, whole_voxels

__all__ = ["Structures", "read_structures", "structures_of_cohort"]

logger = logging.getLogger(__name__)

NONE = "none"  # in place of a table
FEWEST = 2  # structures, since a map with one value is a mask, and subjects, of whom one is left out


@dataclass(frozen=True)
class Structures:
    """Structures of label maps; a value may belong to several.

    Attributes:
        names: of S structures; none where there are no label maps.
        values: of each, numbers above 0.
        scans: numbers of those whose label maps can be read.
        left_out: how many more there are, which too few subjects have.
    """

    names: tuple[str, ...] = ()
    values: tuple[tuple[int, ...], ...] = ()
    scans: frozenset[int] = frozenset()
    left_out: int = 0

    def members(self, largest: int) -> np.ndarray:
        """Whether a value, from 0 to the largest, belongs to a structure, [largest + 1, S], bool."""
        belongs = np.zeros((largest + 1, len(self.names)), bool)
        for i, values in enumerate(self.values):
            belongs[[value for value in values if value <= largest], i] = True
        return belongs


def structures_of_cohort(split: Mapping[str, list[dict]], table: str | os.PathLike | None = None) -> Structures:
    """The structures that at least half of the labelled training subjects have, and log which these are.

    Args:
        split: items under `train`, `validate` and `test`, with `scan` (a number), `subject`, and `label` (the path of a
            label map) where there is one.
        table: as for `read_structures`; None (or null, as a command line says it): each value is a structure; none:
            there are no structures, whatever masks hold.

    Returns:
        None of them where masks have one value, or where no training and no test subject has a label map.

    Raises:
        InputError: the table cannot be read, or there is one and no label map of its structures.
    """
    if table == NONE:
        return Structures()
    wanted = None if table in (None, "null") else read_structures(table)
    maps = _read_maps(split["train"])
    found = _values_of_subjects(maps)
    every = wanted or _each(found)
    structures = _common(every, found)
    if wanted:
        _warn_of_missing(table, wanted, structures, set().union(*found.values()))
    tested = _read_maps(split["test"]) if len(structures.names) >= FEWEST and len(found) >= FEWEST else []
    if tested:
        _tell(structures, maps, len(found), by_table=wanted is not None)
        scans, rare = frozenset(one.scan for one in [*maps, *tested]), len(every.names) - len(structures.names)
        return Structures(structures.names, structures.values, scans, rare)
    if wanted:
        raise InputError(
            f"{table} names {len(wanted.names)} structures, and {len(structures.names)} of them are in label maps of "
            f"at least half of {len(found)} training subjects: two structures, two training subjects and a test "
            "subject with label maps are needed."
        )
    return Structures()


def read_structures(path: str | os.PathLike | None) -> Structures:
    """Read a CSV table of structures: `name`, and `values`, whole numbers above 0 with blanks between them.

    Raises:
        InputError: names what is wrong, and in which line.
    """
    try:
        with open(Path(str(path)).expanduser(), newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"structures is {path}, which cannot be read ({error}): give a CSV table.") from error
    if not rows or not {"name", "values"} <= rows[0].keys():
        raise InputError(f"{path} needs the columns name and values, and a line for each structure.")
    values = tuple(_numbers(row["values"], f"{path}, line {line}") for line, row in enumerate(rows, 2))
    names = tuple(str(row["name"]) for row in rows)
    if twice := [name for name, number in Counter(names).items() if number > 1]:
        raise InputError(f"{path} has {some(twice)} more than once: give each structure one line.")
    return Structures(names, values)


def _numbers(text: str | None, where: str) -> tuple[int, ...]:
    words = (text or "").split()
    if not words or not all(word.isdecimal() and int(word) > 0 for word in words):
        raise InputError(f"{where}: values is '{text}', not whole numbers above 0 with blanks between them.")
    return tuple(map(int, words))


@dataclass(frozen=True)
class _Map:
    """A label map that can be read, and its values above 0."""

    scan: int
    subject: str
    path: str
    values: frozenset[int]


def _read_maps(scans: Iterable[dict]) -> list[_Map]:
    """Those that can be read; others are told."""
    found, unread = list[_Map](), list[str]()
    for scan in with_progress([scan for scan in scans if "label" in scan], "Reading label map"):
        path, *others = paths_of(scan["label"])
        try:
            if others:
                raise Unusable(
                    f"and {len(others)} more of {scan['image']} are several masks: give them as one label map"
                )
            voxels, _ = whole_voxels(path, scan["image"])
            values = frozenset(np.unique(voxels).astype(int).tolist()) - {0}
            found.append(_Map(scan["scan"], scan["subject"], path, values))
        except Unusable as fault:
            unread.append(f"{path} {fault}")
    if unread:
        logger.warning(f"Scans left out of structure shares, as they have no label map: {some(unread, between='; ')}.")
    return found


def _values_of_subjects(maps: Iterable[_Map]) -> dict[str, set[int]]:
    found = defaultdict[str, set[int]](set)
    for one in maps:
        found[one.subject] |= one.values
    return found


def _warn_of_missing(table, wanted: Structures, structures: Structures, there: set[int]) -> None:
    """Log which structures of a table are left out, and which of its values no training label map has."""
    values = sorted({value for of_one in wanted.values for value in of_one} - there)
    if values:
        logger.warning(f"{table} has values that no training label map has: {some(values)}. Correct what is mistyped.")
    rare = [name for name in wanted.names if name not in structures.names]
    if rare:
        logger.warning(f"Left out, as fewer than half of the labelled training subjects have them: {some(rare)}.")


def _tell(structures: Structures, maps: Sequence[_Map], subjects: int, by_table: bool) -> None:
    """Log what is taken for structures; a warning where nobody said that it is some."""
    said = f"Structure shares of {len(structures.names)} structures, which at least half of {subjects} labelled "
    said += "training subjects have"
    if by_table:
        logger.info(said)
        return
    files = some((Path(one.path).name for one in maps), 2)
    logger.warning(
        f"{said}: each value ({some(structures.names, 8)}) of the masks of {len(maps)} scans ({files}). If these are "
        "no structures, or several values are one, give --structures none or a table of them."
    )


def _each(found: dict[str, set[int]]) -> Structures:
    values = sorted(set().union(*found.values()))
    return Structures(tuple(map(str, values)), tuple((value,) for value in values))


def _common(structures: Structures, found: dict[str, set[int]]) -> Structures:
    """Those that at least half of the subjects have."""
    pairs = list(zip(structures.names, structures.values, strict=True))
    number = {name: sum(bool(values & set(own)) for values in found.values()) for name, own in pairs}
    rare = [name for name, _ in pairs if not found or number[name] < len(found) / 2]
    if rare and len(rare) < len(pairs):
        logger.info(
            f"Structures that fewer than half of the labelled training subjects have are left out: {some(rare)}"
        )
    kept = [(name, values) for name, values in pairs if name not in rare]
    return Structures(tuple(name for name, _ in kept), tuple(values for _, values in kept))
