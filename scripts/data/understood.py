"""What the log says of how the names of scans were understood, before anything is read."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path, PurePath

from ..errors import some
from .files import Files, Kind
from .formats.convert import Conversions
from .names.subjects import Reading

__all__ = ["log_understood"]

logger = logging.getLogger(__name__)


def log_understood(
    source: Path,
    scans: list[dict],
    reading: Reading,
    done: Conversions,
    files: Files,
    nobodys: Sequence[PurePath] = (),
    masks: int = 0,
) -> None:
    """Log a table of what was understood, and a warning for each choice and for what takes no part.

    Args:
        source: the folder or list.
        scans: items of `find_scans`.
        reading: of the subjects.
        done: what was converted.
        files: of the folder.
        nobodys: masks that belong to no scan.
        masks: how many files are masks.
    """
    logger.info("\n".join([_headline(source, scans), *_rows(source, scans, reading, done, files, masks)]))
    faults = done.faults if len(done.faults) <= 3 else [some(done.faults)]
    for warning in (*_left_out(files, nobodys), *faults, *done.doubts, *reading.doubts):
        logger.warning(warning)


def _headline(source: Path, scans: list[dict]) -> str:
    subjects, masked = len({scan["subject"] for scan in scans}), sum("label" in scan for scan in scans)
    return f"{source}: {len(scans)} scans of {subjects} subjects, {masked} with a mask."


def _rows(source: Path, scans: list[dict], reading: Reading, done: Conversions, files: Files, masks: int) -> list[str]:
    made = sum(done.readers.values())
    read = [
        f"{len(files.paths[Kind.NIFTI])} NIfTI files" if files.paths[Kind.NIFTI] else "",
        f"{made} converted" if made else "",
    ]
    left = [
        f"{len(files.paths[Kind.RESULT])} results of a bundle" if files.paths[Kind.RESULT] else "",
        f"{len(files.paths[Kind.MISSING])} links to nothing" if files.paths[Kind.MISSING] else "",
        files.suffixes(),
    ]
    rows = [("read", f"{' and '.join(filter(None, read))}; {masks} of them are masks by their names")] * any(read)
    rows += [("converted", f"{number} {reader}") for reader, number in done.readers.items()]
    rows += [("left out", ", ".join(filter(None, left)))] * any(left)
    rows += [("subjects", f"read from {reading.basis}")]
    rows += [("such as" if i == 0 else "", line) for i, line in enumerate(_examples(source, scans))]
    return [f"  {title:<10}{text}" for title, text in rows]


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
    masks = scan.get("label", [])
    masks = [masks] if isinstance(masks, str) else masks
    return f", mask {some(os.path.basename(mask) for mask in masks)}" if masks else ""


def _short(path: str, source: Path) -> str:
    """A path below the source, less what does not fit into a line."""
    name = os.path.relpath(path, source if source.is_dir() else source.parent)
    return name if len(name) <= 60 else f"...{name[-57:]}"


def _left_out(files: Files, nobodys: Sequence[PurePath]) -> list[str]:
    """A warning for scans and masks that take no part."""
    warnings = []
    if missing := files.names(Kind.MISSING):
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
