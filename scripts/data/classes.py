"""What a segmentation tells apart: the classes of label maps, their values and their names."""

import json
import logging
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..atomic import write_json_atomically
from ..distributed import rank
from ..errors import InputError, some
from .checks.whole_file import Unusable
from .lesion_voxels import paths_of, whole_voxels
from .mask_audit import mask_facts, readable_masks
from .mask_meaning import BINARY, mask_meaning
from .structures import Structures, read_structures

__all__ = [
    "class_map",
    "classes_of_cohort",
    "labelled_scans",
    "read_classes",
    "require_classes_in_parts",
    "write_classes",
]

logger = logging.getLogger(__name__)

IGNORE = "ignore"  # nnU-Net's name of voxels without an annotation


def classes_of_cohort(
    scans: list[dict],
    table: str | os.PathLike | Structures | None = None,
    dataset_dir: str | os.PathLike | None = None,
) -> Structures:
    """The classes of a cohort's label maps, in the order of their numbers 1 and so on, and log which these are.

    Every label map is read, once, and all that cannot be used are named together.

    Args:
        scans: items of `find_scans`; `label` is the path of a label map.
        table: of classes, as for `read_structures` or as it reads one; None (or null, as a command line says it): each
            value above 0 is a class.
        dataset_dir: folder of the scans, whose dataset.json may name values.

    Raises:
        InputError: there is no label map, or some cannot be used; they have none of the table's values; or the table
            gives a value to two classes.
    """
    facts = readable_masks(_with_one_map(scans), BINARY)
    found = sorted({value for one in facts for value in one.values})
    if table in (None, "null"):
        return _each_value(found, dataset_dir, len(facts))
    classes, name = (table, "structures") if isinstance(table, Structures) else (read_structures(table), table)
    if shared := [value for value, number in Counter(_all_values(classes)).items() if number > 1]:
        raise InputError(f"{name} gives {some(shared)} to more than one class: a voxel can be of one alone.")
    if missing := sorted(set(_all_values(classes)) - set(found)):
        logger.warning(f"{name} has values that no label map has: {some(missing)}. Correct what is mistyped.")
    if others := sorted(set(found) - set(_all_values(classes))):
        logger.info(f"Values of label maps that {name} does not name count as background: {some(others, 10)}.")
    return classes


def labelled_scans(scans: list[dict], classes: Structures) -> list[dict]:
    """The scans that have a label map, each with `class_label`: 1.0 where the map has a voxel of some class, else 0.0.

    Args:
        scans: items of `find_scans`.
        classes: of their label maps.

    Raises:
        InputError: there is no label map, some cannot be used, or none has a voxel of any class.
    """
    labelled = _with_one_map(scans)
    values = set(_all_values(classes))
    found = [bool(values & one.values) for one in readable_masks(labelled, BINARY)]
    if not any(found):
        raise InputError(
            f"None of {len(labelled)} label maps has a voxel of {some(classes.names)} (values {some(sorted(values))}): "
            "give label maps with these values."
        )
    return [scan | {"class_label": float(one)} for scan, one in zip(labelled, found, strict=True)]


def require_classes_in_parts(split: dict[str, list[dict]], classes: Structures) -> None:
    """Check that something is drawn in each part of a split, and log which classes no training scan has.

    Args:
        split: `labelled_scans` under `train`, `validate` and `test`.
        classes: of their label maps.

    Raises:
        InputError: no scan of some part has a voxel of any class.
    """
    for part, scans in split.items():
        if not any(scan["class_label"] for scan in scans):
            names = some(sorted({scan["subject"] for scan in scans}))
            raise InputError(
                f"None of the scans under '{part}' ({names}) has a voxel of any class: lower folds, so that each has "
                "more subjects, or give more scans of which something is drawn."
            )
    if missing := _classes_without_scan(split["train"], classes):
        logger.warning(
            f"None of {len(split['train'])} training scans has {some(missing, 10)}: what they do not show is not "
            "learnt, and has a Dice coefficient of 0 wherever it is drawn. Give more scans that have it, or a table of "
            "classes without it (structures)."
        )


def class_map(path: str, image: str, classes: Structures) -> np.ndarray:
    """The number of each voxel's class, [X, Y, Z], int16: from 1 in the order of classes, 0 for all else.

    Args:
        path: of a label map.
        image: path of its scan, in whose grid it is.
        classes: whose values are in it.

    Raises:
        InputError: the label map cannot be used.
    """
    try:
        voxels, _ = whole_voxels(path, image)
    except Unusable as fault:
        raise InputError(f"{path} {fault}.") from fault
    voxels = voxels.astype(np.int64)
    numbers = np.zeros(max(int(voxels.max()), *_all_values(classes)) + 1, np.int16)
    for number, values in enumerate(classes.values, 1):
        numbers[list(values)] = number
    return numbers[voxels]


def write_classes(classes: Structures, path: str | os.PathLike) -> None:
    """Write labels.json, {name: [values]} in the order of numbers; or check that it is that of a run that is resumed.

    Raises:
        InputError: a checkpoint.pt lies beside it, and the file has other classes.
    """
    path = Path(path)
    if (path.parent / "checkpoint.pt").is_file() and _as_json(read_classes(path)) != _as_json(classes):
        raise InputError(f"{path} has other classes than these label maps: give those of its run.")
    if rank() == 0:
        write_json_atomically(path, _as_json(classes))


def read_classes(path: str | os.PathLike) -> Structures:
    """The classes of a training, of its labels.json.

    Raises:
        InputError: there is no such file, or it is none.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        names, values = tuple(content), tuple(tuple(int(one) for one in numbers) for numbers in content.values())
        assert names and all(values)
    except (OSError, ValueError, TypeError, AttributeError, AssertionError) as error:
        raise InputError(
            f"{path} does not say what the classes of these weights are: give labels the labels.json of their training."
        ) from error
    return Structures(names, values)


def _as_json(classes: Structures) -> dict[str, list[int]]:
    return {name: list(values) for name, values in zip(classes.names, classes.values, strict=True)}


def _all_values(classes: Structures) -> list[int]:
    return [value for values in classes.values for value in values]


def _classes_without_scan(scans: list[dict], classes: Structures) -> list[str]:
    """Names of the classes of which no label map has a voxel."""
    maps = (mask_facts(tuple(paths_of(scan["label"])), scan["image"], BINARY) for scan in scans)
    found = frozenset[int]().union(*(one.values for one in maps))
    return [name for name, values in zip(classes.names, classes.values, strict=True) if not found & set(values)]


def _with_one_map(scans: Iterable[dict]) -> list[dict]:
    labelled = [scan for scan in scans if "label" in scan]
    if not labelled:
        raise InputError(
            "None of the scans has a label map: give dataset_dir scans with label maps, or a list whose label is one."
        )
    several = [scan for scan in labelled if len(paths_of(scan["label"])) > 1]
    if several:
        first = several[0]
        raise InputError(
            f"{len(several)} scans have several masks ({some(paths_of(first['label']))} of {first['image']}): give "
            "each scan one label map."
        )
    return [scan | {"label": paths_of(scan["label"])[0]} for scan in labelled]


def _each_value(found: list[int], dataset_dir: str | os.PathLike | None, maps: int) -> Structures:
    if not found:
        raise InputError(f"{maps} label maps have no value above 0: give scans of which something is drawn.")
    meaning = mask_meaning(dataset_dir=dataset_dir)
    names = {value: name for name, value in meaning.names}
    text = f"{maps} label maps have {len(found)} values above 0, each of which is a class: {meaning.listed(found)}."
    if set(found) <= names.keys():
        logger.info(text)
    else:
        logger.warning(f"{text} If several values are one class, or some are none, give --structures a table.")
    if ignored := [value for value in found if names.get(value, "").casefold() == IGNORE]:
        logger.warning(
            f"{some(ignored)} is called {IGNORE}, as nnU-Net calls what nobody drew in and leaves out of its training. "
            "Here it is a class like the others: give --structures a table without it, which makes it background, or "
            "leave these scans out."
        )
    return Structures(tuple(names.get(value, str(value)) for value in found), tuple((value,) for value in found))
