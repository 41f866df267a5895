"""The same places of every body: windows at regular shares of its box."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import product

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, SpatialCrop

__all__ = ["Windowsd", "window_starts"]


def window_starts(size: Sequence[int], crop_size: Sequence[int], windows: Sequence[int]) -> list[tuple[int, ...]]:
    """Where crops begin that are spread evenly from edge to edge of an image; one along an axis is in its middle.

    They overlap where the image is small, and fall together where it is no larger than a crop.

    Args:
        size: voxels of the image along each axis, as large as a crop or larger.
        crop_size: of a crop, likewise.
        windows: crops along each axis.

    Returns:
        First voxels along each axis; the last axis changes fastest.

    Example:
        >>> window_starts([90, 40], [32, 32], [3, 1])
        [(0, 4), (29, 4), (58, 4)]
    """
    along = [_spread(have - crop, number) for have, crop, number in zip(size, crop_size, windows, strict=True)]
    return list(product(*along))


def _spread(room: int, number: int) -> list[int]:
    return [room // 2] if number == 1 else [room * i // (number - 1) for i in range(number)]


class Windowsd(MapTransform):
    """Cut a scan into `window_starts`, always in the same order, so that the n-th is the same part of every body.

    Args:
        keys: of the images, of one size; all else of the item goes with each crop.
        crop_size: voxels, [X, Y, Z].
        windows: crops along each axis.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self, keys: KeysCollection, crop_size: list[int], windows: list[int], allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.crop_size, self.windows = crop_size, windows

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> list[dict]:
        """Items of the crops, each image [C, *crop_size]."""
        item = dict(data)
        starts = window_starts(item[self.first_key(item)].shape[1:], self.crop_size, self.windows)
        return [item | self._crops(item, torch.tensor(start)) for start in starts]

    def _crops(self, item: dict, start: torch.Tensor) -> dict:
        cut = SpatialCrop(roi_start=start, roi_end=start + torch.tensor(self.crop_size))
        return {key: cut(item[key]) for key in self.key_iterator(item)}
