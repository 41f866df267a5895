"""From a folder of scans to a list of them, each with its subject and, where there are some, its masks."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path, PurePath

from ..distributed import by_first
from ..errors import InputError, some
from .files import Files, Kind, kind_of, sort_files
from .formats.convert import Conversions, convert
from .lesion_voxels import paths_of
from .names.masks import is_mask, masks_of_scans
from .names.subjects import Reading, read_subjects
from .phantom import make_cohort
from .scan_list import as_label, listed_in_folder, read_list
from .understood import InFolder, log_understood

__all__ = ["find_scans"]

logger = logging.getLogger(__name__)


@by_first  # others would see what it converts or makes as it comes
def find_scans(
    dataset_dir: str | os.PathLike | None,
    synthetic_dir: str | os.PathLike,
    converted_dir: str | os.PathLike,
    images: Sequence[str] = ("image",),
    synthetic_labels: str = "lesions",
) -> list[dict]:
    """List the scans of a cohort by their names, and log how these were understood.

    Args:
        dataset_dir: a folder of NIfTI files, nested or not; a folder with a Decathlon `dataset.json`; an nnU-Net raw
            folder; or a JSON or CSV list whose items have the `images` and, where known, `subject` and `label`.
            None, or null as a command line says it: a synthetic cohort, made in `synthetic_dir`.
        synthetic_dir: where the synthetic cohort is, or goes.
        converted_dir: where scans in other formats (pairs of .hdr and .img; with SimpleITK .mha, .mhd, .nrrd and DICOM)
            are, or go, as NIfTI.
        images: keys of a scan's images in a list, the first of which is `image`; several need a list.
        synthetic_labels: what the masks of the synthetic cohort are of, as for `make_cohort`.

    Returns:
        One item a scan, sorted by path: its images (absolute paths), `subject`, `scan` (its number), and `label` where
        there is a mask: its absolute path, or a list of them where there are several. Those that a list names have
        `listed`, True.

    Raises:
        InputError: there is no such folder or list, or there are no scans in it.
    """
    if images[0] != "image":
        raise InputError(f"images is {list(images)}: the first has to be image.")
    path = (
        Path(_synthetic(synthetic_dir, synthetic_labels) if dataset_dir in (None, "null") else dataset_dir)
        .expanduser()
        .absolute()
    )
    if not path.exists():
        raise InputError(f"There is no {path}: give dataset_dir the folder of your scans, or a JSON or CSV list.")
    listed = read_list(path, images) if path.is_file() else listed_in_folder(path, images)
    if not listed and path.is_dir() and tuple(images) != ("image",):
        raise InputError(
            f"{path} is a folder, which gives one image a scan: give dataset_dir a JSON or CSV list with the columns "
            f"{', '.join(images)} and subject."
        )
    scans = _of_list(path, listed, images, converted_dir) if listed else _of_folder(path, converted_dir)
    if not scans:
        raise InputError(f"There are no scans in {path}: give dataset_dir a list that has some.")
    return [scan | {"scan": i} for i, scan in enumerate(scans)]


def _synthetic(folder: str | os.PathLike, labels: str) -> str | os.PathLike:
    """The synthetic cohort, made where it is not there."""
    logger.info(f"No dataset_dir was given: this run uses a synthetic cohort, in {folder}.")
    make_cohort(folder, labels=labels)
    return folder


def _of_list(path: Path, listed: list[dict], images: Sequence[str], converted_dir: str | os.PathLike) -> list[dict]:
    """Scans of a list, with the subjects that it leaves open."""
    reading = read_subjects([scan["image"] for scan in listed])
    scans = [{"subject": subject} | scan for subject, scan in zip(reading.subjects, listed, strict=True)]
    keys = [key for key in (*images, "label") if any(key in scan for scan in scans)]
    files = {Path(path) for scan in scans for key in keys for path in paths_of(scan.get(key, []))}
    others = sorted(filter(_is_other, files))
    done = convert(others, path.parent, converted_dir) if others else Conversions()
    if done.faults:
        raise InputError(f"{path} lists what cannot be used: {some(done.faults)}")
    made = {str(source): str(files[0][1]) for source, files in done.files.items() if len(files) == 1}
    if several := [source for source, files in done.files.items() if len(files) > 1]:
        raise InputError(f"{path} lists {some(several)}, which has several series: list a folder of one series.")
    scans = [
        scan | {key: as_label([made.get(path, path) for path in paths_of(scan[key])]) for key in keys if key in scan}
        for scan in scans
    ]
    if all("subject" in scan for scan in listed):
        reading = Reading(reading.subjects, "column subject", [])
    scans = sorted(scans, key=lambda scan: scan["image"])
    log_understood(path, scans, reading, done)
    return scans


def _is_other(path: Path) -> bool:
    """Whether a file of a list is to be converted."""
    return path.is_dir() or kind_of(path) in (Kind.PAIR, Kind.ITK, Kind.DICOM)


def _of_folder(root: Path, converted_dir: str | os.PathLike) -> list[dict]:
    """Scans of a folder; those that are masks by their names go with the scans that they belong to."""
    files = sort_files(root)
    others = [path for kind in (Kind.PAIR, Kind.ITK, Kind.DICOM) for path in files.paths[kind]]
    done = convert(sorted(others), root, converted_dir) if others else Conversions()
    where = {PurePath(path.relative_to(root)): path for path in files.paths[Kind.NIFTI]}
    where |= {name: path for made in done.files.values() for name, path in made if name not in where}
    masks = sorted(name for name in where if is_mask(name))
    images = sorted(set(where).difference(masks))
    if not images:
        raise InputError(_nothing(root, files, done, masks))
    reading = read_subjects(images)
    labels, nobodys = masks_of_scans(dict(zip(images, reading.subjects, strict=True)), masks)
    marked = {name: {"label": as_label([str(where[mask]) for mask in found])} for name, found in labels.items()}
    scans: list[dict] = [
        {"image": str(where[name]), "subject": subject, **marked.get(name, {})}
        for name, subject in zip(images, reading.subjects, strict=True)
    ]
    scans = sorted(scans, key=lambda scan: str(scan["image"]))
    log_understood(root, scans, reading, done, InFolder(files, masks, nobodys))
    return scans


def _nothing(root: Path, files: Files, done: Conversions, masks: list[PurePath]) -> str:
    """Why there are no scans in a folder."""
    found = [
        f"{len(masks)} are masks by their names ({some(masks)})" if masks else "",
        f"{len(files.paths[Kind.RESULT])} are results of a bundle" if files.paths[Kind.RESULT] else "",
        f"{len(files.paths[Kind.MISSING])} are links to nothing ({some(files.names(Kind.MISSING))}), which "
        "`datalad get` or `git annex get` fetches"
        if files.paths[Kind.MISSING]
        else "",
        f"others are {files.suffixes()}" if files.others else "",
        f"those in {some(files.closed)} may not be read" if files.closed else "",
    ]
    why = f" Of its files {'; '.join(filter(None, found))}." if any(found) else ""
    return (
        f"There are no NIfTI scans (.nii, .nii.gz) in {root}: give dataset_dir the folder that has."
        f"{why}{''.join(f' {fault}' for fault in done.faults[:3])}"
    )
