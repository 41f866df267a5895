"""Suffixes of the formats of scans, and a scan's name without."""

import os
import re
from pathlib import Path

__all__ = ["DICOM", "HEADER", "ITK", "ITK_HEADER", "NIFTI", "PAIR", "VOXELS", "in_any_case", "scan_stem"]

NIFTI = (".nii", ".nii.gz")
VOXELS, HEADER = (".img", ".img.gz"), (".hdr", ".hdr.gz")
PAIR = VOXELS + HEADER
ITK_HEADER = (".mhd", ".nhdr")  # whose voxels may be in a file of their own
ITK = (".mha", ".nrrd", *ITK_HEADER)
DICOM = (".dcm", ".ima", ".dicom")
SUFFIX = re.compile(rf"({'|'.join(map(re.escape, NIFTI + PAIR + ITK + DICOM))})$", re.IGNORECASE)


def scan_stem(path: str | os.PathLike) -> str:
    """Name of a file without the suffix of a format of scans, in whatever case that is; other dots stay.

    Example:
        >>> scan_stem("/scans/patient_1.5T.mha"), scan_stem("patient_1.NII.gz")
        ('patient_1.5T', 'patient_1')
    """
    return SUFFIX.sub("", Path(path).name)


def in_any_case(suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """Suffixes in lower and in upper case, for file systems that tell these apart."""
    return suffixes + tuple(map(str.upper, suffixes))
