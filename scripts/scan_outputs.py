"""Results of a scan, under a name of their own and in its grid."""

import gzip
import re
from collections.abc import Container, Mapping
from itertools import chain, count
from pathlib import Path

import nibabel
import numpy as np
import torch
from monai.transforms import Transform

from .atomic import write_atomically

__all__ = ["FreeNames", "free_name", "write_nifti"]


def free_name(subject: str, path: str, taken: Container[str]) -> str:
    """File name of a scan without suffix; if it is taken, with the subject before it, then a number behind."""
    plain = re.sub(r"\.nii(\.gz)?$", "", Path(path).name)
    names = chain([plain, f"{subject}_{plain}"], (f"{subject}_{plain}_{i}" for i in count(2)))
    return next(name for name in names if name not in taken)


class FreeNames:
    """`output_name_formatter` of MONAI's `SaveImaged`, which else overwrites a scan's result by that of another folder.

    The first NAME stays as it is; one that occurs again has the folder of its scan before it, then a number behind.
    """

    def __init__(self) -> None:
        self.taken = set()

    def __call__(self, meta: Mapping, saver: Transform) -> dict:
        """Name of a scan's result, from the scan's metadata, as `FolderLayout.filename` takes it."""
        path = Path(meta["filename_or_obj"])
        name = free_name(path.parent.name, str(path), self.taken)
        self.taken.add(name)
        return {"subject": name, "idx": None}


def write_nifti(image: torch.Tensor, affine: torch.Tensor, path: Path) -> None:
    """Write [C, X, Y, Z] as an image [X, Y, Z, C] of float32, or [X, Y, Z] where there is one channel."""
    voxels = image.movedim(0, -1) if len(image) > 1 else image[0]
    nifti = nibabel.Nifti1Image(voxels.numpy().astype(np.float32), affine.numpy())
    write_atomically(path, lambda file: file.write_bytes(gzip.compress(nifti.to_bytes(), 6)))
