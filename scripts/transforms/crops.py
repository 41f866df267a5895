"""Crops that do not depend on chance, and that every scan can give."""

import logging
from collections.abc import Hashable, Mapping

from monai.data import MetaTensor
from monai.transforms import RandSpatialCropSamplesd, SpatialPadd, Transform

__all__ = ["FixedCropsd", "PadToCropd"]


logger = logging.getLogger(__name__)


class FixedCropsd(Transform):
    """Crops at places drawn from the seed and the scan's number alone: the same ones each time, so they can be cached.

    Args:
        crop_size: voxels, [X, Y, Z].
        num_samples: crops of a scan.
        seed: draws the places, together with the item's `scan`.
    """

    def __init__(self, crop_size: list[int], num_samples: int, seed: int = 0) -> None:
        self.crop_size, self.num_samples, self.seed = crop_size, num_samples, seed

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> list[dict]:
        crop = RandSpatialCropSamplesd("image", self.crop_size, self.num_samples, random_size=False)
        return crop.set_random_state(self.seed + 1_000_003 * data["scan"])(data)


class PadToCropd(SpatialPadd):
    """Pad a scan that is smaller than a crop with background, and say so, once.

    Args:
        crop_size: voxels, [X, Y, Z].
        value: intensity of the background.
    """

    def __init__(self, crop_size: list[int], value: float = -1.0) -> None:
        super().__init__("image", crop_size, value=value)
        self.crop_size, self.said = crop_size, False

    def __call__(self, data: Mapping[Hashable, MetaTensor], lazy: bool | None = None) -> dict:
        size = data["image"].shape[1:]
        if not self.said and any(have < want for have, want in zip(size, self.crop_size, strict=True)):
            self.said = True
            logger.warning(
                f"{data['image'].meta.get('filename_or_obj')} has {tuple(size)} voxels, less than a crop of "
                f"{tuple(self.crop_size)}: it is padded, as all such scans are (said for the first one only)."
            )
        return super().__call__(data, lazy=lazy)
