"""What a network of patches says of a scan, before and after a person has corrected where it looks."""

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from torch.nn.functional import interpolate

from ..networks.bag_scores import bag_of, in_patches
from .regions import Region

__all__ = ["BagMapsd"]


class BagMapsd(Transform):
    """Makes of `pred`, logits of patches [L + 1, px, py, pz], the `Bag` of a scan, `bag`, and that `before`.

    `pred` becomes a map in the network's image, [1, X, Y, Z]: the number from 1 of the class of which a patch has the
    most, y_k, where the patch is attended to so far that a_k y_k is at least the threshold; 0 elsewhere.

    Args:
        pooling, min_attention: as in training.
        threshold: from which a patch is drawn.
        attend: where a person says that attention is due.
        ignore: where it is not. Without the network running again, attention is corrected as `bag_of` says.
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
        if self.attend or self.ignore:
            shares = [one.share(image, voxels, patches) if one else None for one in (self.attend, self.ignore)]
            bag = bag_of(logits, seen, self.pooling, self.min_attention, *shares)
        found, number = (bag.attention * bag.local).max(0)
        drawn = torch.where(found >= self.threshold, number + 1, 0).float()
        drawn = interpolate(drawn[None, None], size=tuple(image.shape[1:]), mode="nearest")[0]
        return {**data, "bag": bag, "before": before, "pred": MetaTensor(drawn, affine=image.affine)}
