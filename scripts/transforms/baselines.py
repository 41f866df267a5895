"""What is known of a crop or a body without an encoder; a classifier of embeddings must beat one of these."""

from collections.abc import Hashable, Mapping

import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from .foreground import otsu_threshold

__all__ = ["BodyBaselinesd", "CropBaselinesd"]

EDGES = torch.linspace(-2, 2, 33)  # intensities are scaled from the 5th percentile at -1 to the 95th at 1


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
        intensity = torch.cat([_histogram(image), _histogram(_centre(image))])
        return item | {"position": _quadratic(item["location"].float()), "intensity": intensity}


class BodyBaselinesd(MapTransform):
    """Write `size` and `intensity` of a body, from a scan that was cropped to its box and not scaled yet.

    `size`, [4]: extent of the box in mm along each axis, and volume of what is brighter than Otsu's threshold, in ml.
    `intensity`, [7]: mean, standard deviation and five percentiles of that, in the scan's own unit.

    Args:
        keys: of the scan's image; of several, the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `size` and `intensity`."""
        item = dict(data)
        scan = item[self.first_key(item)]
        image = convert_to_tensor(scan).float()
        spacing = torch.as_tensor(scan.affine)[:3, :3].square().sum(0).sqrt().float()
        body = image[image > otsu_threshold(image)]
        volume = len(body) * spacing.prod() / 1000
        size = torch.cat([torch.tensor(image.shape[1:]) * spacing, volume[None]])
        return item | {"size": size, "intensity": _statistics(body)}


def _histogram(values: torch.Tensor) -> torch.Tensor:
    bins = torch.bucketize(values.flatten(), EDGES)
    return (torch.bincount(bins, minlength=len(EDGES) + 1) / values.numel()).sqrt()


def _centre(image: torch.Tensor) -> torch.Tensor:
    """The middle half of each axis but the first, or one voxel more where that is no whole number."""
    for axis in range(1, image.dim()):
        edge = image.shape[axis] // 4
        image = image.narrow(axis, edge, image.shape[axis] - 2 * edge)
    return image


def _statistics(values: torch.Tensor) -> torch.Tensor:
    levels = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])
    ranks = (levels * (len(values) - 1)).round().long()  # torch.quantile takes no more than 16 million values
    return torch.cat([values.mean()[None], values.std()[None], values.sort().values[ranks]])


def _quadratic(features: torch.Tensor) -> torch.Tensor:
    first, second = torch.triu_indices(len(features), len(features))
    return torch.cat([features, features[first] * features[second]])
