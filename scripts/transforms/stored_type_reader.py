"""Voxels as their file has them, so that a scan is not copied before it is resampled."""

from typing import Any

import numpy as np
import torch
from monai.data import NibabelReader

__all__ = ["StoredTypeReader"]

KEPT = (
    np.int8,
    np.uint8,
    np.int16,
)  # whole numbers that take a quarter or half of what float32 takes, and lose nothing


class StoredTypeReader(NibabelReader):
    """`NibabelReader` for `LoadImaged(dtype=None)`: small whole numbers stay what they are, all else is float32.

    It gives a tensor in the order of the file, [X, Y, Z], the first axis of which changes fastest. MONAI's copies that
    to the other order, which takes longer than to resample it. Scaled values (`scl_slope`) do not go through float64:
    they differ from MONAI's by a rounding of float32.
    """

    def _get_array_data(self, img: Any, filename: str) -> torch.Tensor:
        kept = img.get_data_dtype() in KEPT and (img.dataobj.slope, img.dataobj.inter) == (1, 0)
        return torch.from_numpy(np.asanyarray(img.dataobj, dtype=None if kept else np.float32))
