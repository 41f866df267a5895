"""A box around a point, cut out of a scan in the scan's own grid."""

from itertools import product
from pathlib import Path

import numpy as np
import torch
from monai.data.utils import correct_nifti_header_if_necessary
from nibabel.affines import apply_affine

from ..data.nifti import load_scan
from .scan_files import write_nifti

__all__ = ["voxels_of_box", "write_box"]


def write_box(scan: str, centre: tuple[float, ...], size_mm: tuple[float, ...], path: Path) -> bool:
    """Write the smallest part of a scan's voxels that holds a box; whether anything of it is in the scan.

    Values and their type are the scan's; float32 where its header scales them.

    Args:
        scan: path of its NIfTI file.
        centre: of the box, mm in the world of the scan's header.
        size_mm: of the box along the world's axes.
        path: of the part, .nii.gz.
    """
    image = correct_nifti_header_if_necessary(load_scan(scan))
    box = voxels_of_box(image.affine, image.shape[:3], centre, size_mm)
    if box is None:
        return False
    voxels = np.asanyarray(image.dataobj[box])
    as_stored = voxels.dtype == image.get_data_dtype() and voxels.dtype.kind in "iuf" and voxels.dtype.itemsize <= 8
    kind = voxels.dtype.newbyteorder("=") if as_stored else np.dtype(np.float32)
    channels = np.moveaxis(voxels.reshape(*voxels.shape[:3], -1), -1, 0).astype(kind)
    write_nifti(torch.from_numpy(channels), scan, path, kind, [axis.start for axis in box])
    return True


def voxels_of_box(
    affine: np.ndarray, shape: tuple[int, ...], centre: tuple[float, ...], size_mm: tuple[float, ...]
) -> tuple[slice, slice, slice] | None:
    """The voxels of a grid of which any part may be in a box, a box of their own; None where there are none.

    Args:
        affine: of the grid [X, Y, Z] of this shape, [4, 4], voxel indices to mm.
        shape: of the grid.
        centre: of the box, mm.
        size_mm: of the box along the world's axes.

    Example:
        >>> voxels_of_box(np.eye(4), (9, 9, 9), (4, 4, 0), (3, 2, 3))  # a voxel reaches half a mm to each side
        (slice(3, 6, None), slice(3, 6, None), slice(0, 2, None))
    """
    corners = np.add(centre, np.multiply(size_mm, list(product((-0.5, 0.5), repeat=3))))
    reached = apply_affine(np.linalg.inv(affine), corners).round(6)  # no voxel more for an error of rounding
    low = np.maximum(np.floor(reached.min(0) + 0.5), 0).astype(int)
    high = np.minimum(np.ceil(reached.max(0) + 0.5), shape).astype(int)
    if (low >= high).any():
        return None
    first, second, third = (slice(int(start), int(stop)) for start, stop in zip(low, high, strict=True))
    return first, second, third
