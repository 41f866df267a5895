"""FDG-PET-CT-Lesions, the whole-body PET/CT cohort of ISImed and of the autoPET challenge: its scans and their split.

Gatidis and Kuestner, 2022, doi:10.7937/gkr0-xv29, as NIfTI. The split: Jabareen, Yuan, Lukassen, arXiv 2410.16947.
"""

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np

from .errors import InputError
from .split import draw_subjects, part_numbers, scans_of_parts

__all__ = ["existing_folder", "find_autopet", "numbered", "require_files", "split_autopet"]

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
        One item a study, sorted by path: `image` and `label` (absolute paths), `subject` (the patient's folder) and
        `scan` (its number).

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


def split_autopet(scans: list[dict], val_size: float, test_size: float, seed: int) -> dict[str, list[dict]]:
    """Split studies as the paper does: validate and test on patients with a lesion in each study, train on the others.

    Patients with a lesion in each study who are drawn for neither are left out: they are never trained on.

    Args:
        scans: items of `find_autopet`.
        val_size: of the patients with a lesion in each study, those to validate on: a share (float below 1) or their
            number (int).
        test_size: those to test on, likewise.
        seed: the same seed and patients give the same split.

    Returns:
        The items under `train`, `validate` and `test`.

    Raises:
        InputError: a part has no patient, a size is neither share nor number, or a mask is missing or unreadable.
    """
    healthy = {scan["subject"] for scan, lesion in zip(scans, _have_lesions(scans), strict=True) if not lesion}
    ill = sorted({scan["subject"] for scan in scans} - healthy)
    n_val, n_test = part_numbers(len(ill), val_size, test_size)
    if not healthy:
        raise InputError("Every study has a lesion, so that no patient is left to train on: add those without.")
    if len(ill) < n_val + n_test:
        raise InputError(
            f"{len(ill)} patients have a lesion in each study, too few for {n_val} to validate and {n_test} to test "
            "on: lower val_size or test_size, or add scans."
        )
    drawn = draw_subjects(ill, n_val, n_test, seed)
    logger.info(
        f"{len(healthy)} patients with a study free of lesions are trained on; of {len(ill)} others, {n_val} validate, "
        f"{n_test} test and {len(drawn['train'])} are left out."
    )
    return scans_of_parts(scans, drawn | {"train": healthy})


def existing_folder(dataset_dir: str | os.PathLike | None, layout: str) -> Path:
    """The absolute path of a folder; an `InputError` that says what it should hold where there is none."""
    if dataset_dir is None or not os.path.isdir(os.path.expanduser(dataset_dir)):
        raise InputError(f"dataset_dir is {dataset_dir}, which is no folder: give it the one that holds {layout}.")
    return Path(dataset_dir).expanduser().absolute()


def require_files(scans: list[dict]) -> None:
    """Raise an `InputError` that names the images and masks that are not there, the first of them."""
    files = sorted(scan[key] for scan in scans for key in ("image", "label"))
    missing = [path for path in files if not os.path.isfile(path)]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InputError(
            f"There is no {', no '.join(missing[:3])}{more}: complete the data set, or take these cases out of it."
        )


def numbered(scans: list[dict], root: Path) -> list[dict]:
    """Sort scans by path, number them, and say how many there are."""
    subjects = len({scan["subject"] for scan in scans})
    logger.info(f"{root}: {len(scans)} scans of {subjects} subjects, all with a mask.")
    return [scan | {"scan": i} for i, scan in enumerate(sorted(scans, key=lambda scan: scan["image"]))]


def _studies(root: Path) -> list[Path]:
    """Folders in the patients' folders, which lie in the root or, if none does, one level below."""
    patients = list(root.glob("PETCT_*")) or list(root.glob("*/PETCT_*"))
    found = (study for patient in patients for study in patient.glob("*"))
    return [study for study in found if study.is_dir() and not study.name.startswith(".")]


def _without_tall(scans: list[dict]) -> list[dict]:
    low = [scan for scan in scans if _read(scan["image"], lambda image: image.shape[2:3] <= (MAX_SLICES,))]
    if not low:
        raise InputError(f"All {len(scans)} studies have more than {MAX_SLICES} slices: give dataset_dir others.")
    if len(low) < len(scans):
        logger.info(f"{len(scans) - len(low)} studies of more than {MAX_SLICES} slices are left out.")
    return low


def _have_lesions(scans: list[dict]) -> list[bool]:
    """Whether each scan's mask has a voxel above 0."""
    unmasked = [scan["image"] for scan in scans if "label" not in scan]
    if unmasked:
        raise InputError(f"{unmasked[0]} has no mask: this split needs one of each scan, as find_autopet gives it.")
    logger.info(f"Reading {len(scans)} masks to split by lesions: this takes a while.")
    with ThreadPoolExecutor(2) as pool:  # whole masks in memory, one each
        return list(pool.map(lambda scan: _read(scan["label"], _any_voxel), scans))


def _any_voxel(mask: nibabel.Nifti1Image) -> bool:
    return bool((np.asanyarray(mask.dataobj) > 0).any())


def _read(path: str, answer: Callable):
    try:
        return answer(nibabel.load(path))
    except Exception as error:  # whatever the reader raises means that the file cannot be read
        raise InputError(f"{path} cannot be read ({' '.join(str(error).split())[:120]}): download it again.") from error
