"""What a preprocessed scan still knows of the file that it was loaded from."""

import numpy as np
import torch
from monai.data import MetaTensor
from monai.utils import MetaKeys
from nibabel.affines import apply_affine

from ..data.voxel_grid import Grid

__all__ = ["is_in_file"]


def is_in_file(place: torch.Tensor, scan: torch.Tensor) -> bool:
    """Whether a place is in one of the voxels that were loaded; so is every place of what was not loaded from a file.

    Args:
        place: in voxels of the preprocessed scan, [3].
        scan: [C, X, Y, Z], with the metadata of MONAI's `LoadImage`.
    """
    meta = scan.meta if isinstance(scan, MetaTensor) else {}
    if MetaKeys.ORIGINAL_AFFINE not in meta or MetaKeys.SPATIAL_SHAPE not in meta:
        return True
    x, y, z = np.asarray(meta[MetaKeys.SPATIAL_SHAPE]).tolist()[:3]
    grid = Grid(np.asarray(meta[MetaKeys.ORIGINAL_AFFINE], np.float64), (x, y, z))
    return grid.mm_outside(apply_affine(np.asarray(scan.affine.cpu(), np.float64), place.cpu())) == 0
