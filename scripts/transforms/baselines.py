"""What is known of a crop or a body without an encoder; a classifier of embeddings must beat one of these."""

from collections.abc import Hashable, Mapping

import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from .foreground import otsu_threshold

__all__ = ["BodySized", "CropBaselinesd"]


class CropBaselinesd(MapTransform):
    """Write `position` and `intensity` of a crop, each with squares and products.

    `position`, [9], is its `location` in mm; `intensity`, [35], its mean, standard deviation and five percentiles.

    Args:
        keys: of the crop's image; of several, the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `position` and `intensity`."""
        item = dict(data)
        statistics = _statistics(convert_to_tensor(item[self.first_key(item)]).flatten().float())
        return item | {"position": _quadratic(item["location"].float()), "intensity": _quadratic(statistics)}


class BodySized(MapTransform):
    """Write `size` of a body, [4], from a scan that was cropped to its box and not scaled yet.

    Extent of the box in mm along each axis, and volume of what is brighter than Otsu's threshold, in ml.

    Args:
        keys: of the scan's image; of several, the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `size`."""
        item = dict(data)
        scan = item[self.first_key(item)]
        image = convert_to_tensor(scan).float()
        spacing = torch.as_tensor(scan.affine)[:3, :3].square().sum(0).sqrt().float()
        volume = (image > otsu_threshold(image)).sum() * spacing.prod() / 1000
        return item | {"size": torch.cat([torch.tensor(image.shape[1:]) * spacing, volume[None]])}


def _statistics(values: torch.Tensor) -> torch.Tensor:
    levels = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])
    ranks = (levels * (len(values) - 1)).round().long()  # torch.quantile takes no more than 16 million values
    return torch.cat([values.mean()[None], values.std()[None], values.sort().values[ranks]])


def _quadratic(features: torch.Tensor) -> torch.Tensor:
    first, second = torch.triu_indices(len(features), len(features))
    return torch.cat([features, features[first] * features[second]])
