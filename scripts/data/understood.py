"""What the log says of how the names of scans were understood, before anything is read."""

import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ..errors import some
from .files import Files, Kind
from .formats.convert import Conversions
from .lesion_voxels import paths_of
from .names.masks import shows_no_lesion
from .names.subjects import Reading

__all__ = ["InFolder", "log_understood"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InFolder:
    """What is in a folder of scans.

    Args:
        files: all of them.
        masks: those that are masks by their names.
        nobodys: masks that belong to no scan, though they should.
    """

    files: Files
    masks: Sequence[PurePath]
    nobodys: Sequence[PurePath]


def log_understood(
    source: Path, scans: list[dict], reading: Reading, done: Conversions, folder: InFolder | None = None
) -> None:
    """Log a table of what was understood, and a warning for each choice and for what takes no part.

    Args:
        source: the folder or list.
        scans: items of `find_scans`.
        reading: of the subjects.
        done: what was converted.
        folder: what else is in it; None for a list.
    """
    rows = [*(_of_folder(folder, done) if folder else []), *_of_scans(source, scans, reading, done)]
    logger.info("\n".join([_headline(source, scans), *(f"  {title:<10}{text}" for title, text in rows)]))
    faults = done.faults if len(done.faults) <= 3 else [some(done.faults)]
    for warning in (*(_left_out(folder) if folder else []), *faults, *done.doubts, *reading.doubts):
        logger.warning(warning)


def _headline(source: Path, scans: list[dict]) -> str:
    subjects, masked = len({scan["subject"] for scan in scans}), sum("label" in scan for scan in scans)
    most = max(Counter(scan["subject"] for scan in scans).values())
    several = f" (up to {most} each; contrasts are not told apart)" if most > 1 else ""
    return f"{source}: {len(scans)} scans of {subjects} subjects{several}, {masked} with a mask."


def _of_folder(folder: InFolder, done: Conversions) -> list[tuple[str, str]]:
    """Rows of how many files are read, and of what is left out: a title and a text each."""
    paths = folder.files.paths
    read = _counted({"NIfTI files": len(paths[Kind.NIFTI]), "converted": sum(done.readers.values())})
    numbers = {
        "masks of a brain, head or body": sum(map(shows_no_lesion, folder.masks)),
        "results of a bundle": len(paths[Kind.RESULT]),
        "links to nothing": len(paths[Kind.MISSING]),
    }
    left = [*_counted(numbers), *filter(None, [folder.files.suffixes()])]
    masks = f"; {len(folder.masks)} of them are masks by their names"
    return [("read", " and ".join(read) + masks)] * bool(read) + [("left out", ", ".join(left))] * bool(left)


def _counted(numbers: dict[str, int]) -> list[str]:
    return [f"{number} {what}" for what, number in numbers.items() if number]


def _of_scans(source: Path, scans: list[dict], reading: Reading, done: Conversions) -> list[tuple[str, str]]:
    """Rows of what was converted, and who the subjects are."""
    return [
        *(("converted", f"{number} {reader}") for reader, number in done.readers.items()),
        ("subjects", f"read from {reading.basis}"),
        *(("" if i else "such as", line) for i, line in enumerate(_examples(source, scans))),
    ]


def _examples(source: Path, scans: list[dict]) -> list[str]:
    """Scans of the first, middle and last subject, with what was understood."""
    first = {scan["subject"]: scan for scan in reversed(scans)}
    chosen = [first[subject] for subject in sorted(first)]
    chosen = [chosen[i] for i in sorted({0, len(chosen) // 2, len(chosen) - 1})]
    names = [_short(scan["image"], source) for scan in chosen]
    return [
        f"{name:<{max(map(len, names))}} -> {scan['subject']}{_masks(scan, source)}"
        for name, scan in zip(names, chosen, strict=True)
    ]


def _masks(scan: dict, source: Path) -> str:
    masks = paths_of(scan.get("label", []))
    return f", mask {some(os.path.basename(mask) for mask in masks)}" if masks else ""


def _short(path: str, source: Path) -> str:
    """A path below the source, less what does not fit into a line."""
    name = os.path.relpath(path, source if source.is_dir() else source.parent)
    return name if len(name) <= 60 else f"...{name[-57:]}"


def _left_out(folder: InFolder) -> list[str]:
    """Warnings of scans and masks that take no part."""
    warnings, nobodys = [], folder.nobodys
    if closed := folder.files.closed:
        warnings.append(
            f"{len(closed)} folders may not be read ({some(closed)}), and what is in them is left out: change their "
            "permissions."
        )
    if missing := folder.files.names(Kind.MISSING):
        warnings.append(
            f"{len(missing)} names of scans are links to nothing ({some(missing)}) and left out: fetch them with "
            "`datalad get` or `git annex get`."
        )
    if nobodys:
        warnings.append(
            f"{len(nobodys)} masks belong to no scan by their names, or to several people's ({some(nobodys)}), and are "
            "left out: name each after its scan, or give dataset_dir a CSV list with the columns image, subject, label."
        )
    return warnings
