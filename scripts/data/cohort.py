"""From a folder of scans to a list of them, each with its subject and, where there are some, its masks."""

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..distributed import by_first
from ..errors import InputError, some
from .found import Found, scans_of_folder, scans_of_list
from .phantom import make_cohort
from .phantom_modalities import MODALITIES
from .scan_list import listed_in_folder, read_list
from .synthetic import is_synthetic
from .understood import log_understood

__all__ = ["existing", "find_scans", "make_synthetic"]

logger = logging.getLogger(__name__)

SUBJECTS = {False: 24, True: 12}  # of the synthetic cohort, where it has one modality and where several
SUBJECTS_WITH_GENES = 200


@by_first  # others would see what it converts or makes as it comes
def find_scans(
    dataset_dir: str | os.PathLike | None,
    synthetic_dir: str | os.PathLike,
    converted_dir: str | os.PathLike,
    images: Sequence[str] = ("image",),
    synthetic_labels: str = "lesions",
    synthetic_modalities: bool = False,
    synthetic_variants: int = 0,
) -> list[dict]:
    """List the scans of a cohort by their names, and log how these were understood.

    Args:
        dataset_dir: a folder of NIfTI files, nested or not, of which those that a network made (`is_synthetic`) are
            left out; a folder with a Decathlon `dataset.json`; an nnU-Net raw folder; or a JSON or CSV list whose items
            have the `images` and, where known, `subject` and `label`. None, or null as a command line says it: a
            synthetic cohort, made in `synthetic_dir`.
        synthetic_dir: where the synthetic cohort is, or goes.
        converted_dir: where scans in other formats (pairs of .hdr and .img; with SimpleITK .mha, .mhd, .nrrd and DICOM)
            are, or go, as NIfTI.
        images: keys of a scan's images in a list, the first of which is `image`; several need a list.
        synthetic_labels: what the masks of the synthetic cohort are of, as for `make_cohort`.
        synthetic_modalities: whether the synthetic cohort is that of several modalities, which `find_cases` makes.
        synthetic_variants: of the genes of the synthetic cohort, as for `make_cohort`; it is larger then.

    Returns:
        One item a scan, sorted by path: its images (absolute paths), `subject`, `scan` (its number), and `label` where
        there is a mask: its absolute path, or a list of them where there are several. Those that a list names have
        `listed`, True.

    Raises:
        InputError: there is no such folder or list, or there are no scans in it.
    """
    if images[0] != "image":
        raise InputError(f"images is {list(images)}: the first has to be image.")
    if dataset_dir in (None, "null"):
        dataset_dir = make_synthetic(synthetic_dir, synthetic_labels, synthetic_modalities, synthetic_variants)
    path = existing(dataset_dir)
    listed = read_list(path, images) if path.is_file() else listed_in_folder(path, images)
    if not listed and path.is_dir() and tuple(images) != ("image",):
        raise InputError(
            f"{path} is a folder, which gives one image a scan: give dataset_dir a JSON or CSV list with the columns "
            f"{', '.join(images)} and subject."
        )
    if path.is_file() and not listed:
        raise InputError(f"There are no scans in {path}: give dataset_dir a list that has some.")
    found = scans_of_list(path, listed, images, converted_dir) if listed else scans_of_folder(path, converted_dir)
    synthetic = [scan[key] for scan in found.scans for key in images if is_synthetic(scan[key])]
    if found.folder:
        found = replace(found, scans=[scan for scan in found.scans if scan["image"] not in synthetic])
    _require_real(found, synthetic)
    log_understood(found)
    if synthetic:
        logger.warning(
            f"{len(synthetic)} images were made by a network ({some(synthetic)}): they are "
            f"{'left out' if found.folder else 'taken for scans, as the list says'}."
        )
    return [scan | {"scan": i} for i, scan in enumerate(found.scans)]


def _require_real(found: Found, synthetic: list[str]) -> None:
    if not found.scans:
        raise InputError(
            f"All images in {found.source} were made by a network, by their names or headers ({some(synthetic)}): give "
            "dataset_dir a folder of scans, or a list, which may name them all the same."
        )


def existing(dataset_dir: str | os.PathLike) -> Path:
    """The absolute path of a cohort; an `InputError` where there is none."""
    path = Path(dataset_dir).expanduser().absolute()
    if not path.exists():
        raise InputError(f"There is no {path}: give dataset_dir the folder of your scans, or a JSON or CSV list.")
    return path


def make_synthetic(
    folder: str | os.PathLike, labels: str = "lesions", several: bool = False, variants: int = 0
) -> str | os.PathLike:
    """The synthetic cohort, made where it is not there.

    Args:
        folder: where it is, or goes.
        labels: as for `make_cohort`.
        several: whether it has all of `MODALITIES`; it has one scan a subject otherwise.
        variants: of its genes; none where it is 0.
    """
    logger.info(f"No dataset_dir was given: this run uses a synthetic cohort, in {folder}.")
    number = SUBJECTS_WITH_GENES if variants else SUBJECTS[several]
    make_cohort(folder, number, labels=labels, modalities=MODALITIES if several else (), variants=variants)
    return folder
