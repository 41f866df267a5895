"""Padding round a CT's field of view, which is air as well."""

from collections.abc import Hashable, Mapping

import torch
from monai.transforms import MapTransform

__all__ = ["PaddingToAird", "padding_to_air"]

LOWEST = -1024  # a CT's lowest Hounsfield unit, as 12 bits hold it
SHARE = 0.001  # of a scan's voxels: fewer at the lowest value are streaks of metal


def padding_to_air(image: torch.Tensor) -> torch.Tensor:
    """An image with what lies below -1024 raised to that, where its lowest value is a padding value.

    Scanners fill what is outside their round field of view with -2000 or -3024, say. Told from air, it would move the
    threshold between air and body, and the percentiles of intensities. A padding value is the lowest one, lies below
    -1024, and a thousandth of all voxels or more have it.

    Args:
        image: any shape, any unit; other images are returned as they are.

    Example:
        >>> padding_to_air(torch.tensor([-3024.0, -3024.0, -1000.0, 40.0]))
        tensor([-1024., -1024., -1000.,    40.])
    """
    voxels = image.permute(sorted(range(image.ndim), key=image.stride, reverse=True))  # as they lie in memory: faster
    lowest = voxels.min()
    if lowest >= LOWEST or torch.count_nonzero(voxels == lowest) < SHARE * image.numel():
        return image
    return image.clamp(min=LOWEST)


class PaddingToAird(MapTransform):
    """`padding_to_air` of each image under its keys, [C, X, Y, Z], as it was loaded: before voxels are mixed."""

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict:
        """The item with images whose padding is air."""
        return {**data, **{key: padding_to_air(data[key]) for key in self.key_iterator(dict(data))}}
