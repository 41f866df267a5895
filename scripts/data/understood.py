"""What the log says of how the names of scans were understood, before anything is read."""

import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..errors import counted, some
from .files import Kind
from .formats.convert import Conversions
from .found import Found, InFolder
from .lesion_voxels import paths_of
from .names.masks import shows_no_lesion

__all__ = ["log_cases", "log_understood"]

logger = logging.getLogger(__name__)


def log_understood(found: Found) -> None:
    """Log a table of what was understood, and a warning for each choice and for what takes no part."""
    _tell(_headline(found.source, found.scans), [], found)


def log_cases(found: Found, cases: list[dict], names: Sequence[str], others: str) -> None:
    """Log a table of who has which images.

    Args:
        found: all images.
        cases: items of `find_cases`.
        names: of their modalities.
        others: those that take no part, in words.
    """
    rows = _of_modalities(cases, names) + ([("without", others)] if others else [])
    _tell(_headline_of_cases(found.source, cases), rows, found)


def _tell(headline: str, rows: Sequence[tuple[str, str]], found: Found) -> None:
    """Log a table, and the warnings of what was found.

    Args:
        headline: of it.
        rows: a title and a text each, which come between what was read and how.
        found: the scans.
    """
    before = _of_folder(found.folder, found.done) if found.folder else []
    rows = [*before, *rows, *_of_scans(found)]
    logger.info("\n".join([headline, *(f"  {title:<9} {text}" for title, text in rows)]))
    faults = found.done.faults if len(found.done.faults) <= 3 else [some(found.done.faults)]
    left_out = _left_out(found.folder) if found.folder else []
    for warning in (*left_out, *faults, *found.done.doubts, *found.reading.doubts):
        logger.warning(warning)


def _headline(source: Path, scans: list[dict]) -> str:
    subjects, masked = len({scan["subject"] for scan in scans}), sum("label" in scan for scan in scans)
    most = max(Counter(scan["subject"] for scan in scans).values())
    several = f" (up to {most} each; contrasts are not told apart)" if most > 1 else ""
    return f"{source}: {counted(len(scans), 'scan')} of {counted(subjects, 'subject')}{several}, {masked} with a mask."


def _headline_of_cases(path: Path, cases: list[dict]) -> str:
    subjects, masked = len({case["subject"] for case in cases}), sum("label" in case for case in cases)
    return f"{path}: {counted(len(cases), 'case')} of {counted(subjects, 'subject')}, {masked} with a mask."


def _of_modalities(cases: list[dict], names: Sequence[str]) -> list[tuple[str, str]]:
    """A row for each modality, and one of the cases that have all."""
    rows = [(name, _number([case for case in cases if name in case["modalities"]], name)) for name in names]
    whole = [case for case in cases if len(case["modalities"]) == len(names)]
    subjects = len({case["subject"] for case in whole})
    return [
        *rows,
        ("complete", f"{counted(len(whole), 'case')} of {counted(subjects, 'subject')} have all {len(names)}"),
    ]


def _number(cases: list[dict], name: str) -> str:
    synthetic, subjects = sum(name in case["synthetic"] for case in cases), len({case["subject"] for case in cases})
    made = f" and {synthetic} synthetic" if synthetic else ""
    return f"{counted(len(cases) - synthetic, 'image')}{made} of {counted(subjects, 'subject')}"


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


def _of_scans(found: Found) -> list[tuple[str, str]]:
    """Rows of what was converted, and who the subjects are."""
    return [
        *(("converted", f"{number} {reader}") for reader, number in found.done.readers.items()),
        ("subjects", f"read from {found.reading.basis}"),
        *(("" if i else "such as", line) for i, line in enumerate(_examples(found.source, found.scans))),
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
