"""A scan's name."""

import os
import re
from pathlib import Path

__all__ = ["nifti_stem"]


def nifti_stem(path: str | os.PathLike) -> str:
    """Name of a file without its .nii or .nii.gz, in whatever case that is; other dots stay.

    Example:
        >>> nifti_stem("/scans/patient_1.5T.NII.gz")
        'patient_1.5T'
    """
    return re.sub(r"\.nii(\.gz)?$", "", Path(path).name, flags=re.IGNORECASE)
