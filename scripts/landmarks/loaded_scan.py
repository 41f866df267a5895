"""What a preprocessed scan still knows of the file that it was loaded from."""

from collections.abc import Iterable

import numpy as np
import torch
from monai.data import MetaTensor
from monai.utils import ImageMetaKey, MetaKeys
from nibabel.affines import apply_affine

from ..data.landmarks import MarkedScan, marks_in
from ..data.voxel_grid import Grid
from .reference import to_voxels

__all__ = ["is_in_file", "own_places"]


def own_places(scan: torch.Tensor, marked: Iterable[MarkedScan]) -> dict[str, torch.Tensor]:
    """Where landmarks are that are marked in the scan's own file, by name: in voxels of the scan, [3] float64.

    Args:
        scan: [C, X, Y, Z], with the metadata of MONAI's `LoadImage`.
        marked: scans in which something is marked.
    """
    if not isinstance(scan, MetaTensor) or ImageMetaKey.FILENAME_OR_OBJ not in scan.meta:
        return {}
    marks = marks_in(marked, scan.meta[ImageMetaKey.FILENAME_OR_OBJ])
    points = torch.tensor([mark.point for mark in marks], dtype=torch.float64).reshape(-1, 3)
    return {mark.name: place for mark, place in zip(marks, to_voxels(scan, points), strict=True)}


def is_in_file(place: torch.Tensor, scan: torch.Tensor) -> bool:
    """Whether a place is in one of the voxels that were loaded; so is every place of what was not loaded from a file.

    Args:
        place: in voxels of the preprocessed scan, [3].
        scan: as for `own_places`.
    """
    if not isinstance(scan, MetaTensor) or not {MetaKeys.ORIGINAL_AFFINE, MetaKeys.SPATIAL_SHAPE} <= set(scan.meta):
        return True
    x, y, z = np.asarray(scan.meta[MetaKeys.SPATIAL_SHAPE]).tolist()[:3]
    grid = Grid(np.asarray(scan.meta[MetaKeys.ORIGINAL_AFFINE], np.float64), (x, y, z))
    return grid.mm_outside(apply_affine(np.asarray(scan.affine.cpu(), np.float64), place.cpu())) == 0
