"""Voxels as their file has them, so that a scan is not copied before it is resampled."""

from typing import Any

import numpy as np
import torch
from monai.data import NibabelReader

from ..data.voxel_stream import is_compressed, open_stream, voxels_in

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
    they differ from MONAI's by a rounding of float32. Where igzip is installed, it decompresses files.
    """

    def _get_array_data(self, img: Any, filename: str) -> torch.Tensor:
        stored = img.dataobj
        dtype = None if img.get_data_dtype() in KEPT and (stored.slope, stored.inter) == (1, 0) else np.float32
        if not is_compressed(stored.file_like):
            return torch.from_numpy(np.asanyarray(stored, dtype))
        with open_stream(stored.file_like) as file:
            return torch.from_numpy(voxels_in(file, stored, dtype))
