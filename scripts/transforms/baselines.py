"""What is known of a crop or a body without an encoder; a classifier of embeddings must beat one of these."""

from collections.abc import Hashable, Mapping

import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from .foreground import otsu_threshold
from .histogram import histogram

__all__ = ["BodySized", "CropBaselinesd"]


class CropBaselinesd(MapTransform):
    """Write `position` and `intensity` of a crop.

    `position`, [9], is its `location` in mm, with squares and products. `intensity`, [68], is a histogram of the crop
    and one of its centre (the middle half of each axis), 32 bins from -2 to 2 and what lies beyond on either side, as
    square roots of shares, so that a linear classifier compares Hellinger's way (Vedaldi and Zisserman, "Efficient
    Additive Kernels via Explicit Feature Maps", PAMI 34:480, 2012).

    Args:
        keys: of the crop's image, its intensities scaled; of several, the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `position` and `intensity`."""
        item = dict(data)
        image = convert_to_tensor(item[self.first_key(item)]).float()
        # intensities are scaled from the 5th percentile at -1 to the 95th at 1
        shares = torch.cat([histogram(part, low=-2.0, high=2.0) for part in (image, _centre(image))])
        return item | {"position": _quadratic(item["location"].float()), "intensity": shares.sqrt()}


class BodySized(MapTransform):
    """Write `size` of a body, [4], from a scan that was cropped to its box and not scaled yet.

    Extent of the box in mm along each axis, and volume of what is brighter than Otsu's threshold in the first channel,
    in ml.

    Args:
        keys: of the scan's image; of several, the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `size`."""
        item = dict(data)
        scan = item[self.first_key(item)]
        image = convert_to_tensor(scan)[:1].float()
        spacing = torch.as_tensor(scan.affine)[:3, :3].square().sum(0).sqrt().float()
        volume = (image > otsu_threshold(image)).sum() * spacing.prod() / 1000
        return item | {"size": torch.cat([torch.tensor(image.shape[1:]) * spacing, volume[None]])}


def _centre(image: torch.Tensor) -> torch.Tensor:
    """The middle half of each axis but the first, or one voxel more where that is no whole number."""
    for axis in range(1, image.dim()):
        edge = image.shape[axis] // 4
        image = image.narrow(axis, edge, image.shape[axis] - 2 * edge)
    return image


def _quadratic(features: torch.Tensor) -> torch.Tensor:
    first, second = torch.triu_indices(len(features), len(features))
    return torch.cat([features, features[first] * features[second]])
