"""One class label a scan: whether its mask holds a lesion, or what a table says of its subject."""

import csv
import functools
import logging
import os

import nibabel
import numpy as np

from ..errors import InputError, shorten

__all__ = ["label_by_mask", "label_by_table", "load_scan", "scans_with_lesions"]

logger = logging.getLogger(__name__)


def label_by_mask(scans: list[dict]) -> list[dict]:
    """The scans that have a mask, each with `class_label`: 1.0 where the mask has a voxel above 0, else 0.0.

    Args:
        scans: items of `find_scans`.

    Raises:
        InputError: no scan has a mask, or a mask cannot be read or is not in its scan's grid.
    """
    masked = [scan for scan in scans if "label" in scan]
    if not masked:
        raise InputError(
            "None of the scans has a mask: give dataset_dir scans with masks, or a list whose label is the mask."
        )
    logger.info(f"Reading {len(masked)} masks.")
    return [scan | {"class_label": float(_has_lesion(scan["label"], scan["image"]))} for scan in masked]


def scans_with_lesions(scans: list[dict]) -> list[dict]:
    """Those of `label_by_mask` whose mask has a voxel above 0.

    Raises:
        InputError: as there, or none has.
    """
    labelled = label_by_mask(scans)
    found = [scan for scan in labelled if scan["class_label"]]
    if not found:
        raise InputError(f"None of {len(labelled)} masks has a voxel above 0: give scans of subjects with lesions.")
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
    labelled = [scan | {"class_label": labels[scan["subject"]]} for scan in scans if scan["subject"] in labels]
    if not labelled:
        raise InputError(
            f"{table} names none of the subjects ({scans[0]['subject']}, ...): write them as the names of the scans do."
        )
    if len(labelled) < len(scans):
        logger.info(f"{len(scans) - len(labelled)} of {len(scans)} scans have no label in {table} and are left out.")
    return labelled


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


@functools.cache
def _has_lesion(mask: str, image: str) -> bool:
    """Read once, however many folds are trained."""
    voxels, scan = load_scan(mask), load_scan(image)
    if voxels.shape[:3] != scan.shape[:3] or not np.allclose(voxels.affine, scan.affine, atol=1e-2):
        raise InputError(f"{mask} is not in the grid of {image}: resample it to the scan's shape and affine.")
    try:
        return bool((np.asanyarray(voxels.dataobj) > 0).any())
    except Exception as error:  # whatever the reader raises means that the file cannot be read
        raise _unreadable(mask, error) from error


def load_scan(path: str | os.PathLike) -> nibabel.spatialimages.SpatialImage:
    """A scan as nibabel loads it; an `InputError` that names it where that fails."""
    try:
        image = nibabel.load(path)
        assert isinstance(image, nibabel.spatialimages.SpatialImage)
        return image
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str | os.PathLike, error: Exception) -> InputError:
    return InputError(f"{path} cannot be read ({shorten(error)}): mend or move it.")
