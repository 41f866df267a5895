"""A scan's name."""

import os
import re
from pathlib import Path

__all__ = ["nifti_stem", "scan_stem"]

SUFFIX = re.compile(r"\.(nii(\.gz)?|hdr|img(\.gz)?|mha|mhd|nrrd|nhdr|dcm|ima)$", re.IGNORECASE)


def nifti_stem(path: str | os.PathLike) -> str:
    """Name of a file without its .nii or .nii.gz, in whatever case that is; other dots stay.

    Example:
        >>> nifti_stem("/scans/patient_1.5T.NII.gz")
        'patient_1.5T'
    """
    return re.sub(r"\.nii(\.gz)?$", "", Path(path).name, flags=re.IGNORECASE)


def scan_stem(path: str | os.PathLike) -> str:
    """Name of a file without the suffix of a format of scans, in whatever case that is; other dots stay.

    Example:
        >>> scan_stem("/scans/patient_1.5T.mha")
        'patient_1.5T'
    """
    return SUFFIX.sub("", Path(path).name)
