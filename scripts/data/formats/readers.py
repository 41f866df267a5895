"""Formats other than NIfTI: which program reads each, and the images of a file or folder."""

from importlib.util import find_spec
from pathlib import Path

import nibabel

from ...errors import shorten, some
from ..files import Kind, kind_of
from .dicom import dicom_reader, read_series, series_in_folder
from .in_memory import in_memory
from .itk import read_itk

__all__ = ["images_of", "reader_of", "says_no_side", "sentence_on", "unreadable"]

UNREAD = {Kind.ITK: "files of ITK", Kind.DICOM: "folders of DICOM"}
CURES = {
    Kind.ITK: "convert them by `c3d FILE -o FILE.nii.gz` (Convert3D)",
    Kind.DICOM: "convert them by `dcm2niix -z y -f %i_%t_%s -o FOLDER_OF_NIFTI FOLDER_OF_DICOM`",
}


def unreadable() -> list[Kind]:
    """Formats whose reader is not installed."""
    return [] if find_spec("SimpleITK") else list(CURES)


def sentence_on(kind: Kind, sources: list[Path]) -> str:
    """What is said of files in a format whose reader is not installed."""
    return (
        f"{len(sources)} {UNREAD[kind]} ({some(sources)}) cannot be read without SimpleITK: pip install SimpleITK, "
        f"or {CURES[kind]}."
    )


def reader_of(kind: Kind) -> str:
    """Which program reads a format, behind the number of its scans."""
    if kind is Kind.DICOM:
        return f"DICOM series by {dicom_reader()}"
    return f"{kind.value}s by nibabel" if kind is Kind.PAIR else f"{kind.value} by SimpleITK"


def images_of(source: Path) -> list[tuple[str, nibabel.Nifti1Image | str]]:
    """Images of a source, or what is wrong with them, by the names of its series."""
    try:
        if not source.is_dir():
            return [("", _read_file(source))]
        return [(name, _guarded(read_series, names)) for name, names in series_in_folder(source).items()] or [
            ("", "has no DICOM series that can be read")
        ]
    except Exception as error:  # whatever a reader raises means that the file cannot be read
        return [("", f"cannot be read ({shorten(error)})")]


def _read_file(path: Path) -> nibabel.Nifti1Image | str:
    if kind_of(path) is Kind.DICOM:
        return "is one file of DICOM: name the folder of its series"
    return in_memory(nibabel.load(path)) if kind_of(path) is Kind.PAIR else read_itk(path)


def _guarded(read, names: list[str]) -> nibabel.Nifti1Image | str:
    try:
        return read(names)
    except Exception as error:  # as above, of one series
        return f"cannot be read ({shorten(error)})"


def says_no_side(path: Path) -> bool:
    """Whether a pair is Analyze, which does not say which side is left."""
    try:
        return kind_of(path) is Kind.PAIR and not isinstance(nibabel.load(path), nibabel.Nifti1Pair)
    except Exception:  # what cannot be read is said elsewhere
        return False
