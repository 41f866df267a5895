"""One class label a scan: whether its mask holds a lesion, or what a table says of its subject."""

import csv
import logging
from collections.abc import Iterable

from ..errors import InputError, some
from .mask_audit import audited_masks
from .mask_meaning import BINARY, MaskMeaning
from .names.tables import match_names

__all__ = ["label_by_mask", "label_by_table", "scans_with_lesions"]

logger = logging.getLogger(__name__)


def label_by_mask(scans: list[dict], meaning: MaskMeaning = BINARY) -> list[dict]:
    """The scans that have a mask, each with `class_label`: 1.0 where the mask has a voxel of the lesion, else 0.0.

    Every mask is read, once, and all that cannot be used are named together.

    Args:
        scans: items of `find_scans`; `label` is the path of a mask, or several of masks that are united.
        meaning: which numbers of the masks are the lesion.

    Raises:
        InputError: no scan has a mask, masks cannot be used, or which of their numbers are the lesion is not said.
    """
    masked = [scan for scan in scans if "label" in scan]
    if not masked:
        raise InputError(
            "None of the scans has a mask: give dataset_dir scans with masks, or a list whose label is the mask."
        )
    facts = audited_masks(masked, meaning)
    return [scan | {"class_label": float(one.has_lesion)} for scan, one in zip(masked, facts, strict=True)]


def scans_with_lesions(scans: list[dict], meaning: MaskMeaning = BINARY) -> list[dict]:
    """Those of `label_by_mask` whose mask has a voxel of the lesion.

    Raises:
        InputError: as there, or none has.
    """
    labelled = label_by_mask(scans, meaning)
    found = [scan for scan in labelled if scan["class_label"]]
    if not found:
        raise InputError(f"None of {len(labelled)} masks has a lesion: give scans of subjects with lesions.")
    if len(found) < len(labelled):
        logger.info(f"{len(labelled) - len(found)} scans without a lesion are left out.")
    return found


def label_by_table(scans: list[dict], table: str | None) -> list[dict]:
    """The scans whose subject is in a table, each with `class_label`, 0.0 or 1.0, of its subject.

    Args:
        scans: items of `find_scans`.
        table: path of a CSV file with the columns subject and label (0 or 1); subjects with none are left out.

    Raises:
        InputError: there is no such table, a label is neither 0 nor 1, or it names none of the subjects.
    """
    labels = _read_table(table)
    rows = match_names(labels, {scan["subject"] for scan in scans})
    named = {subject: labels[row] for row, subject in rows.items()}
    labelled = [scan | {"class_label": named[scan["subject"]]} for scan in scans if scan["subject"] in named]
    if not labelled:
        raise InputError(
            f"{table} names none of the subjects ({scans[0]['subject']}, ...): write them as the names of the scans do."
        )
    _tell_of_others(scans, rows, labels, table)
    return labelled


def _tell_of_others(scans: list[dict], rows: dict[str, str], labels: Iterable[str], table: str | None) -> None:
    """What of a table and of the scans is not written alike, or has no counterpart."""
    loose = [f"{row} for {subject}" for row, subject in rows.items() if row != subject]
    strange = [row for row in labels if row not in rows]
    bare = sorted({scan["subject"] for scan in scans}.difference(rows.values()))
    if loose:
        logger.warning(f"{table} is taken to say {some(loose)}: if that is wrong, write the names of scans there.")
    if strange:
        logger.warning(
            f"{len(strange)} subjects of {table} have no scan and are left out: {some(strange)}. Scans have names such "
            f"as {scans[0]['subject']}: write them so, or ignore this if there are no scans of theirs."
        )
    if bare:
        logger.warning(
            f"{len(bare)} subjects with scans have no label in {table} and are left out: {some(bare)}. Add them, or "
            "ignore this if their labels are not known."
        )


def _read_table(table: str | None) -> dict[str, float]:
    if table in (None, "null"):
        raise InputError("No labels are given: give labels a CSV with the columns subject and label.")
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{table} is no table that can be read: give labels a CSV with the columns subject and label."
        ) from error
    if not rows or not {"subject", "label"} <= rows[0].keys():
        raise InputError(f"{table} lacks the columns subject and label: name them so in its first line.")
    labels: dict[str, float] = {}
    for row in rows:
        if row["label"] not in ("", "0", "1", "0.0", "1.0"):
            raise InputError(f"{table} has the label {row['label']} for {row['subject']}: write 0, 1, or nothing.")
        if row["label"] and labels.setdefault(row["subject"], float(row["label"])) != float(row["label"]):
            raise InputError(f"{table} has both labels for {row['subject']}: leave one.")
    return labels
