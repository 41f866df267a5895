"""Every scan can give a crop."""

import logging
from collections.abc import Hashable, Mapping

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import SpatialPadd

__all__ = ["BACKGROUND", "PadToCropd"]

logger = logging.getLogger(__name__)

BACKGROUND = -1.0  # to which the 5th percentile of intensities is scaled


class PadToCropd(SpatialPadd):
    """Pad scans that are smaller than a crop with background, and say so, once.

    Args:
        keys: of the images, of one size; the first is named where it is padded.
        crop_size: voxels, [X, Y, Z].
        value: intensity of the background.
    """

    def __init__(self, keys: KeysCollection, crop_size: list[int], value: float = BACKGROUND) -> None:
        super().__init__(keys, crop_size, value=value)
        self.crop_size, self.said = crop_size, False

    def __call__(self, data: Mapping[Hashable, torch.Tensor], lazy: bool | None = None) -> dict:
        """As `SpatialPadd`: images [C, X, Y, Z] under its keys, padded."""
        image = data[self.first_key(dict(data))]
        size = image.shape[1:]
        if not self.said and any(have < want for have, want in zip(size, self.crop_size, strict=True)):
            self.said = True
            source = image.meta.get("filename_or_obj") if isinstance(image, MetaTensor) else "A scan"
            logger.warning(
                f"{source} has {tuple(size)} voxels, less than a crop of "
                f"{tuple(self.crop_size)}: it is padded, as all such scans are (said for the first one only)."
            )
        return super().__call__(data, lazy=lazy)
