"""Images that a network made, which are never taken for scans."""

import os

import nibabel

from .names.modalities import SYNTHETIC, words_of
from .stem import NIFTI, scan_stem

__all__ = ["MARK", "is_synthetic"]

MARK = f"{SYNTHETIC}:"  # with which the description in the header of a synthetic NIfTI file begins


def is_synthetic(path: str | os.PathLike) -> bool:
    """Whether a file's name has the word synthetic, as `P1_ct_synthetic.nii.gz`, or its header says that it is so.

    The header speaks where a file was renamed: its description (`descrip`) begins with `MARK`.
    """
    if SYNTHETIC in words_of(scan_stem(path)):
        return True
    return str(path).lower().endswith(NIFTI) and _description(path).lower().startswith(MARK)


def _description(path: str | os.PathLike) -> str:
    try:
        image = nibabel.load(path)
        return image.header["descrip"].item().decode("latin-1") if isinstance(image, nibabel.Nifti1Pair) else ""
    except Exception:  # whatever the reader raises: what is wrong with the file is found when it is audited
        return ""
