"""Intensities of each modality, scaled by its own percentiles."""

from collections.abc import Hashable, Mapping

import torch
from monai.config import KeysCollection
from monai.config.type_definitions import NdarrayOrTensor
from monai.transforms import ScaleIntensityRange, ScaleIntensityRangePercentilesd
from monai.transforms.utils_pytorch_numpy_unification import percentile
from monai.utils import convert_to_tensor

from ..data.checks.verdict import STEEP
from .pad_to_crop import BACKGROUND

__all__ = ["ScaleModalitiesd"]


class ScaleModalitiesd(ScaleIntensityRangePercentilesd):
    """`ScaleIntensityRangePercentilesd` of each channel by itself; one that is constant, being missing, is background.

    A channel whose percentiles are equal, or nearly (`STEEP`), is scaled by its lowest and highest value, so that no
    channel reaches a network in its own unit: percentiles of a file differ, but in the grid of a case, most of which
    may lie outside of that image, they need not. MONAI's own leaves such a channel as it is.

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
        scaled = torch.full_like(image, BACKGROUND)
        for i, channel in enumerate(convert_to_tensor(data)):
            lowest, highest = float(channel.min()), float(channel.max())
            if lowest < highest:
                scaled[i] = torch.as_tensor(self._scaler(channel, lowest, highest)(channel))
        return scaled

    def _scaler(self, channel: torch.Tensor, lowest: float, highest: float) -> ScaleIntensityRange:
        """By percentiles of a channel [X, Y, Z], or by its ends."""
        low, high = (float(percentile(channel, level)) for level in (self.scaler.lower, self.scaler.upper))
        if highest - lowest > STEEP * (high - low):
            low, high = lowest, highest
        return ScaleIntensityRange(low, high, self.scaler.b_min, self.scaler.b_max)
