"""Patches by their own mean and spread, so that brightness does not say where one is from."""

from collections.abc import Hashable, Mapping

import torch
from monai.transforms import MapTransform

__all__ = ["NormalizePatchd", "normalize_patch"]

ROUNDING = 1e-6  # of the largest value: float32 rounds to 1e-7


def normalize_patch(image: torch.Tensor) -> torch.Tensor:
    """Each channel with mean 0 and standard deviation 1 over its voxels; zeros where all are alike but for rounding.

    `monai.transforms.NormalizeIntensity` divides by the standard deviation of what rounding leaves: it makes of voxels
    that are all 0.1 ones that are all 1 or -1, and writes into the image that it is given.

    Args:
        image: [C, X, Y, Z], floating point.

    Example:
        >>> normalize_patch(torch.tensor([[[[1.0, 3.0]]], [[[0.1, 0.1]]]])).flatten()
        tensor([-1.,  1.,  0.,  0.])
    """
    space = tuple(range(1, image.ndim))
    centred = image - image.mean(space, keepdim=True)
    spread = centred.pow(2).mean(space, keepdim=True).sqrt()
    varies = spread > ROUNDING * image.abs().amax(space, keepdim=True)
    return torch.where(varies, centred / spread, 0)


class NormalizePatchd(MapTransform):
    """`normalize_patch` of each image under its keys, [C, X, Y, Z]."""

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict:
        """The item with normalised images."""
        return {**data, **{key: normalize_patch(data[key]) for key in self.key_iterator(dict(data))}}
