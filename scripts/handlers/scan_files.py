"""Results of a scan, under a name of their own and in its grid."""

import gzip
from collections.abc import Container
from itertools import chain, count
from pathlib import Path

import nibabel
import numpy as np
import torch
from numpy.typing import DTypeLike

from ..atomic import write_atomically
from ..data.stem import nifti_stem

__all__ = ["free_name", "write_nifti"]


def free_name(subject: str, path: str, taken: Container[str]) -> str:
    """File name of a scan without suffix; if it is taken, with the subject before it, then a number behind."""
    plain = nifti_stem(path)
    names = chain([plain, f"{subject}_{plain}"], (f"{subject}_{plain}_{i}" for i in count(2)))
    return next(name for name in names if name not in taken)


def write_nifti(image: torch.Tensor, affine: torch.Tensor, path: Path, dtype: DTypeLike = np.float32) -> None:
    """Write [C, X, Y, Z] as an image [X, Y, Z, C], or [X, Y, Z] where there is one channel."""
    voxels = image.movedim(0, -1) if len(image) > 1 else image[0]
    nifti = nibabel.Nifti1Image(voxels.numpy().astype(dtype), affine.numpy())
    write_atomically(path, lambda file: file.write_bytes(gzip.compress(nifti.to_bytes(), 6)))
