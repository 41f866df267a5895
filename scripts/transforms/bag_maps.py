"""What a network of patches says of a scan, before and after a person has corrected where it looks."""

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from torch.nn.functional import interpolate

from ..networks.bag_scores import Bag, bag_of, in_patches
from .regions import Region

__all__ = ["BagMapsd", "fewest"]

HALF = 0.5  # of a score, the patches of which are drawn


class BagMapsd(Transform):
    """Makes of `pred`, logits of patches [L + 1, px, py, pz], the `Bag` of a scan, `bag`, and that `before`.

    `pred` becomes a map in the network's image, [1, X, Y, Z]: of the class with the largest score, its number from 1 in
    the fewest patches whose contributions are half of that score, as long as this is at least the threshold; 0
    elsewhere. So it is empty where a scan is not said to be of that class, and says where else, however far the
    network attends.

    Args:
        pooling, min_attention: as in training.
        threshold: score from which its places are drawn.
        attend: where a person says that attention is due, unless the item has an `attend` or `attend_points` of its
            own, as a request to a server does.
        ignore: where it is not, likewise. Without the network running again, attention is corrected as `bag_of` says.
    """

    def __init__(self, pooling: str, min_attention: float, threshold: float, attend: Region, ignore: Region) -> None:
        self.pooling, self.min_attention, self.threshold = pooling, min_attention, threshold
        self.attend, self.ignore = attend, ignore

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item, of the network's `image` [C, X, Y, Z], what of it is `seen` [1, X, Y, Z], and `pred`."""
        logits, image = torch.as_tensor(data["pred"]).cpu(), data["image"]
        patches = logits.shape[1:]
        voxels = torch.as_tensor(data["seen"]).cpu()
        seen = in_patches(voxels[None], patches)[0]
        before = bag_of(logits, seen, self.pooling, self.min_attention)
        bag = before
        regions = [region.asked_for(data) for region in (self.attend, self.ignore)]
        if any(regions):
            shares = [region.share(image, voxels, patches) if region else None for region in regions]
            bag = bag_of(logits, seen, self.pooling, self.min_attention, *shares)
        drawn = interpolate(self._drawn(bag)[None, None], size=tuple(image.shape[1:]), mode="nearest")[0]
        return {**data, "bag": bag, "before": before, "pred": MetaTensor(drawn, affine=image.affine)}

    def _drawn(self, bag: Bag) -> torch.Tensor:
        row = int(bag.score.argmax())
        return (row + 1.0) * (fewest(bag.contribution[row], HALF) & (bag.score[row] >= self.threshold))


def fewest(values: torch.Tensor, share: float) -> torch.Tensor:
    """Which are the fewest of some values above 0 that are together at least a share of their sum, bool.

    Example:
        >>> fewest(torch.tensor([0.1, 0.4, 0.3, 0.0]), 0.8)
        tensor([False,  True,  True, False])
    """
    largest, order = values.flatten().sort(descending=True, stable=True)
    enough = largest.cumsum(0) - largest < share * values.sum()
    return torch.zeros_like(order, dtype=torch.bool).scatter(0, order, enough).reshape(values.shape)
