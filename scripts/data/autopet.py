"""FDG-PET-CT-Lesions, the whole-body PET/CT cohort of ISImed and of the autoPET challenge: a list of its scans.

Gatidis and Kuestner, 2022, doi:10.7937/gkr0-xv29, as NIfTI.
"""

import logging
import os
from pathlib import Path

from ..errors import InputError
from .datasets import existing_folder, numbered, require_files
from .nifti import load_scan

__all__ = ["find_autopet"]

logger = logging.getLogger(__name__)

IMAGES = ("CTres", "SUV")  # what lies in the grid of the mask
LAYOUT = "PETCT_<patient>/<study>/ with CTres.nii.gz, SUV.nii.gz and SEG.nii.gz"
MAX_SLICES = 400


def find_autopet(dataset_dir: str | os.PathLike | None, image: str = "CTres") -> list[dict]:
    """List the studies of FDG-PET-CT-Lesions with at most 400 slices, as the paper does.

    Args:
        dataset_dir: the folder that holds the patients' folders PETCT_..., or the one above it.
        image: of each study: CTres (CT in the grid of PET) or SUV (PET).

    Returns:
        One item a study, sorted by path: `image` and `label` (the mask; absolute paths), `subject` (the patient's
        folder) and `scan` (its number).

    Raises:
        InputError: there is no such folder, there are no studies in it, or a study lacks its image or mask.
    """
    if image not in IMAGES:
        raise InputError(f"image is {image}: give CTres or SUV, which lie in the grid of SEG.nii.gz.")
    root = existing_folder(dataset_dir, LAYOUT)
    studies = _studies(root)
    if not studies:
        raise InputError(f"There are no studies in {root}: give dataset_dir the folder that holds {LAYOUT}.")
    scans = [
        {"image": str(study / f"{image}.nii.gz"), "subject": study.parent.name, "label": str(study / "SEG.nii.gz")}
        for study in studies
    ]
    require_files(scans)
    return numbered(_without_tall(scans), root)


def _studies(root: Path) -> list[Path]:
    """Folders in the patients' folders, which lie in the root or, if none does, one level below."""
    patients = list(root.glob("PETCT_*")) or list(root.glob("*/PETCT_*"))
    found = (study for patient in patients for study in patient.glob("*"))
    return [study for study in found if study.is_dir() and not study.name.startswith(".")]


def _without_tall(scans: list[dict]) -> list[dict]:
    low = [scan for scan in scans if load_scan(scan["image"]).shape[2:3] <= (MAX_SLICES,)]
    if not low:
        raise InputError(f"All {len(scans)} studies have more than {MAX_SLICES} slices: give dataset_dir others.")
    if len(low) < len(scans):
        logger.info(f"{len(scans) - len(low)} studies of more than {MAX_SLICES} slices are left out.")
    return low
