"""Regions that a pretext task is about are of a scan, and not for the most part of what it is padded with."""

import logging
from collections.abc import Hashable, Mapping
from math import prod
from statistics import median

import torch
from monai.config import KeysCollection

from ..errors import InputError
from .pad_to_crop import PadToCropd

__all__ = ["PadToRegiond"]

logger = logging.getLogger(__name__)

FIRST = 5  # scans, by which the others are judged
MOST = 0.5  # of a region


class PadToRegiond(PadToCropd):
    """`PadToCropd`, which says what share of a region is padding in the first five scans, where some is.

    Args:
        keys, crop_size: as for `PadToCropd`, of a region.
        cure: what is to be given where it is too large for the scans.
    """

    def __init__(self, keys: KeysCollection, crop_size: list[int], cure: str) -> None:
        super().__init__(keys, crop_size)
        self.cure, self.shares = cure, dict[int, float]()

    def __call__(self, data: Mapping[Hashable, torch.Tensor], lazy: bool | None = None) -> dict:
        """As `PadToCropd`.

        Raises:
            InputError: more than half of a region is padding in the median of the first five scans.
        """
        if len(self.shares) < FIRST and "scan" in data:
            size = data[self.first_key(dict(data))].shape[1:]
            self.shares[int(data["scan"])] = 1 - prod(map(min, size, self.crop_size)) / prod(self.crop_size)
            if len(self.shares) == FIRST and any(self.shares.values()):
                self._judge(median(self.shares.values()))
        return super().__call__(data, lazy=lazy)

    def _judge(self, share: float) -> None:
        size = " x ".join(map(str, self.crop_size))
        told = f"of a region of {size} voxels, {share:.0%} is padding in the median of the first {FIRST} scans"
        if share > MOST:
            raise InputError(f"The task is about more than scans have: {told}. {self.cure}.")
        logger.info(f"Scans are padded for the task: {told}.")
