"""DICOM: the series in a folder, what keeps one from being a volume, and their voxels."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
from monai.utils import optional_import

from ...errors import shorten
from .in_memory import in_memory
from .itk import as_nifti

__all__ = ["dicom_reader", "read_series", "series_in_folder"]

NO_IMAGES = ("SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "SR", "PR", "KO", "REG", "DOC", "AU", "ECG")
MODALITY, PATIENT, NUMBER, DESCRIPTION = "0008|0060", "0010|0020", "0020|0011", "0008|103e"
POSITION, ORIENTATION, FRAMES = "0020|0032", "0020|0037", "0028|0008"
UNEQUAL = 0.02  # of the distance of slices; headers are rounded


def has_dcm2niix() -> bool:
    """Whether dcm2niix is installed."""
    return find_spec("dcm2niix") is not None


def dicom_reader() -> str:
    """Which program converts a series, and why, in words."""
    if has_dcm2niix():
        return "dcm2niix, which is installed and knows what makers of scanners do otherwise"
    return "SimpleITK, as dcm2niix is not installed"


def series_in_folder(folder: Path) -> dict[str, list[str]]:
    """Files of each series in a folder, in the order of their slices, by a name of its own.

    The name is the series' number and description, after the patient's identifier where there are several patients;
    it is empty where there is one series.
    """
    sitk = _sitk()
    reader = sitk.ImageSeriesReader
    files = [list(reader.GetGDCMSeriesFileNames(str(folder), uid)) for uid in reader.GetGDCMSeriesIDs(str(folder))]
    if len(files) < 2:
        return {"": files[0]} if files else {}
    headers = [_header(names[0]) for names in files]
    several = len({header.get(PATIENT, "") for header in headers}) > 1
    found: dict[str, list[str]] = {}
    for header, names in zip(headers, files, strict=True):
        name = _plain(f"{header.get(NUMBER, '')}_{header.get(DESCRIPTION, '')}")
        name = f"{_plain(header.get(PATIENT, ''))}/{name}" if several else name
        found[name if name not in found else f"{name}_{len(found) + 1}"] = names
    return found


def read_series(names: list[str]) -> nibabel.Nifti1Image | str:
    """A series as NIfTI; or what keeps it from being one volume, in words."""
    headers = [_header(name) for name in names]
    return _fault(headers) or (_by_dcm2niix(names) if has_dcm2niix() else _by_simpleitk(names))


def _sitk():
    sitk, _ = optional_import("SimpleITK")
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    return sitk


def _header(name: str) -> dict[str, str]:
    reader = _sitk().ImageFileReader()
    reader.SetFileName(name)
    reader.ReadImageInformation()
    return {key: reader.GetMetaData(key).strip() for key in reader.GetMetaDataKeys()}


def _fault(headers: list[dict[str, str]]) -> str | None:
    modality = headers[0].get(MODALITY, "")
    if modality in NO_IMAGES:
        return f"is no image but {modality}"
    if any(int(header.get(FRAMES) or 1) > 1 for header in headers):
        return None if has_dcm2niix() else "has several frames in a file, which dcm2niix reads: pip install dcm2niix"
    if len(headers) < 2:
        return "has one slice"
    if any(POSITION not in header or ORIENTATION not in header for header in headers):
        return "does not say where its slices are"
    return _fault_of_slices(headers)


def _fault_of_slices(headers: list[dict[str, str]]) -> str | None:
    axes = np.array([_numbers(header[ORIENTATION]) for header in headers])
    if np.abs(axes - axes[0]).max() > 1e-3:
        return "has slices of several orientations"
    places = np.array([_numbers(header[POSITION]) for header in headers])
    gaps = np.diff(np.sort(places @ np.cross(axes[0, :3], axes[0, 3:])))
    if gaps.min() < 1e-3:
        return "has several images at one place (echoes, say, or times)"
    if np.ptp(gaps) > UNEQUAL * gaps.min():
        return f"lacks slices, or they are not equally far apart ({gaps.min():.2f} to {gaps.max():.2f} mm)"
    return None


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split("\\")]


def _by_simpleitk(names: list[str]) -> nibabel.Nifti1Image | str:
    reader = _sitk().ImageSeriesReader()
    reader.SetFileNames(names)
    return as_nifti(reader.Execute())


def _by_dcm2niix(names: list[str]) -> nibabel.Nifti1Image | str:
    """What dcm2niix makes of the files of a series alone, given as links in a folder of their own."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        source.mkdir()
        target.mkdir()
        for i, name in enumerate(names):
            os.symlink(os.path.abspath(name), source / f"{i:05}.dcm")
        command = [sys.executable, "-m", "dcm2niix", "-b", "n", "-z", "n", "-f", "scan", "-o", str(target), str(source)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
        made = sorted(target.glob("*.nii"))
        if len(made) != 1:
            said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
            return f"gives {len(made)} images in dcm2niix, which says: {shorten(ValueError(said[-1]))}"
        return in_memory(nibabel.load(made[0]))


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name.strip()).strip("-_.") or "unnamed"
