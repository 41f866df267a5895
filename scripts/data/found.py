"""Scans as they are found in a folder or on a list, with their subjects and masks, and how names were understood."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ..errors import InputError, some
from .files import Files, Kind, kind_of, sort_files
from .formats.convert import Conversions, convert
from .lesion_voxels import paths_of
from .names.masks import is_mask, masks_of_scans
from .names.subjects import Reading, read_subjects
from .scan_list import as_label

__all__ = ["Found", "InFolder", "scans_of_folder", "scans_of_list"]


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


@dataclass(frozen=True)
class Found:
    """Scans of a cohort.

    Args:
        source: the folder or list.
        scans: items of `find_scans`.
        reading: of the subjects.
        done: what was converted.
        folder: what else is in it; None for a list.
    """

    source: Path
    scans: list[dict]
    reading: Reading
    done: Conversions
    folder: InFolder | None = None


def scans_of_list(path: Path, listed: list[dict], images: Sequence[str], converted_dir: str | os.PathLike) -> Found:
    """Scans of a list, sorted by path, with the subjects that it leaves open.

    Args:
        path: of the list.
        listed: its items, each with `image`.
        images: keys of their images, which an item may lack.
        converted_dir: as for `find_scans`.

    Raises:
        InputError: a scan cannot be converted.
    """
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
    return Found(path, scans, reading, done)


def _is_other(path: Path) -> bool:
    """Whether a file of a list is to be converted."""
    return path.is_dir() or kind_of(path) in (Kind.PAIR, Kind.ITK, Kind.DICOM)


def scans_of_folder(root: Path, converted_dir: str | os.PathLike) -> Found:
    """Scans of a folder, sorted by path; what is a mask by its name goes with the scans that it belongs to.

    Args:
        root: the folder.
        converted_dir: as for `find_scans`.

    Raises:
        InputError: there are no scans in it.
    """
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
    return Found(root, scans, reading, done, InFolder(files, masks, nobodys))


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
