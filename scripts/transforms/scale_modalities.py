"""Intensities of each modality, scaled by its own percentiles."""

from collections.abc import Hashable, Mapping

import torch
from monai.config import KeysCollection
from monai.config.type_definitions import NdarrayOrTensor
from monai.transforms import ScaleIntensityRangePercentilesd
from monai.utils import convert_to_tensor

from .pad_to_crop import BACKGROUND

__all__ = ["ScaleModalitiesd"]


class ScaleModalitiesd(ScaleIntensityRangePercentilesd):
    """`ScaleIntensityRangePercentilesd` of each channel by itself; one that is constant, being missing, is background.

    MONAI's own warns of such a channel that it divides by zero.

    Args:
        keys: of images [M, X, Y, Z].
        lower: percentile that is scaled to `b_min`.
        upper: percentile that is scaled to `b_max`.
        b_min, b_max: as above; nothing is clipped.
    """

    def __init__(self, keys: KeysCollection, lower: float, upper: float, b_min: float, b_max: float) -> None:
        super().__init__(keys, lower, upper, b_min, b_max, channel_wise=True)

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict:
        """The item with its images scaled."""
        return {**data, **{key: self._scaled(data[key]) for key in self.key_iterator(dict(data))}}

    def _scaled(self, data: NdarrayOrTensor) -> torch.Tensor:
        image = convert_to_tensor(data, track_meta=True)
        there = image.amax((1, 2, 3)) > image.amin((1, 2, 3))
        scaled = torch.full_like(image, BACKGROUND)
        if there.any():
            scaled[there] = torch.as_tensor(self.scaler(image[there]))
        return scaled
