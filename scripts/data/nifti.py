"""NIfTI files as nibabel loads them and as all are written, and whether two of them lie in one grid of voxels."""

import gzip
import os

import nibabel
import numpy as np
from monai.data import MetaTensor
from monai.utils import ImageMetaKey
from nibabel.affines import apply_affine

from ..atomic import write_atomically
from ..errors import InputError, shorten

__all__ = ["file_of", "in_one_grid", "load_scan", "voxels_apart", "write_compressed"]

# Where no voxel is half a voxel or more away, each lies on its own in the other grid, and the arrays belong together
# voxel by voxel. A little less is allowed, since half a voxel is what corners taken for centres make.
TOLERANCE = 0.4


def file_of(scan: str | MetaTensor) -> str:
    """The path of a scan, which it is, or from which MONAI loaded it."""
    return scan.meta[ImageMetaKey.FILENAME_OR_OBJ] if isinstance(scan, MetaTensor) else scan


def load_scan(path: str | os.PathLike) -> nibabel.spatialimages.SpatialImage:
    """A scan as nibabel loads it; an `InputError` that names it where that fails."""
    try:
        image = nibabel.load(path)
        assert isinstance(image, nibabel.spatialimages.SpatialImage)
        return image
    except Exception as error:  # whatever the reader raises means that the file cannot be read
        raise InputError(f"{path} cannot be read ({shorten(error)}): mend or move it.") from error


def write_compressed(path: str | os.PathLike, content: bytes) -> None:
    """Write the bytes of a NIfTI file as .nii.gz: the same ones from the same content, whenever that is."""
    write_atomically(path, lambda file: file.write_bytes(gzip.compress(content, 6, mtime=0)))


def in_one_grid(image: nibabel.spatialimages.SpatialImage, other: nibabel.spatialimages.SpatialImage) -> bool:
    """Whether two images [X, Y, Z, ...] have as many voxels, each where the other's is."""
    same = image.shape[:3] == other.shape[:3]
    return same and voxels_apart(image.affine, other.affine, image.shape) <= TOLERANCE


def voxels_apart(affine: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> float:
    """How far apart two affines put a voxel at most, along an axis of the first grid and in voxels of it.

    The difference is affine, and so is largest at a corner. In mm, it would have to be compared with other numbers for
    other spacings; entry by entry, a small error of the spacing would pass that adds up to voxels at the far end.

    Args:
        affine: [4, 4], voxel indices to mm.
        other: likewise.
        shape: of the grid, [X, Y, Z, ...].

    Example:
        >>> voxels_apart(np.diag([2.0, 2, 2, 1]), np.diag([2.02, 2, 2, 1]), (101, 50, 50))  # 1 % of 100 voxels
        1.0
    """
    corners = np.stack(np.meshgrid(*([0, size - 1] for size in shape[:3])), -1).reshape(-1, 3)
    try:
        moved = apply_affine(np.linalg.solve(affine, other), corners)
    except np.linalg.LinAlgError:
        return float("inf")
    return float(np.abs(moved - corners).max().round(6))
