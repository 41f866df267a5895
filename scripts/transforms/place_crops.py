"""Crops at places that bodies have in common, each with those round the nearest places of its scan."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable
from torch.nn.functional import pad

from ..data.common_places import EXACT, CommonPlaces
from .pad_to_crop import BACKGROUND
from .place import ScaledPlace
from .places import crop_start

__all__ = ["PlaceCropsd", "nearest_places"]


def nearest_places(points: torch.Tensor, number: int) -> torch.Tensor:
    """Which of the other points are nearest to each, [n, number]; the first of those that are as near.

    Args:
        points: [n, 3].

    Example:
        >>> nearest_places(torch.tensor([[0.0, 0, 0], [5, 0, 0], [9, 0, 0]]), 1)
        tensor([[1],
                [2],
                [1]])
    """
    distance = torch.cdist(points, points, compute_mode=EXACT).fill_diagonal_(torch.inf)
    return distance.argsort(dim=1, stable=True)[:, :number]


class PlaceCropsd(Randomizable, MapTransform):
    """Draw places of a scan, and cut a crop at each and at the places next to it.

    An item has, under each key, the crop of a place and those of its neighbours, [1 + R, C, X, Y, Z], plain tensors,
    padded where they reach beyond the scan; `place`, [1 + R, 3], where each is, as the network is told; and
    `place_number`, the queue of the first. The network is told the point itself: where the voxels nearest to it lie
    differs from scan to scan by parts of a voxel, and by these a scan would know its own crops again.

    Chance is drawn apart from being applied: `randomize` draws `drawn`, which of the scan's places, no place twice
    before all were drawn; a call with `randomize=False` cuts these.

    Args:
        keys: of the scan's images, in one grid, which has an `origin` and the numbers of its `places`.
        places: all that there are, and which share a queue.
        crop_size: voxels, [X, Y, Z].
        num_samples: places that are drawn.
        neighbours: R, the nearest places that are cut as well.
        place_range: mm from the origin along each axis that are 1 to the network.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        places: CommonPlaces,
        crop_size: Sequence[int],
        num_samples: int,
        neighbours: int,
        place_range: Sequence[float],
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.places, self.crop_size = places, crop_size
        self.num_samples, self.neighbours = num_samples, neighbours
        self.told = ScaledPlace(place_range)({"location": places.points[places.kept[places.queue]]})["place"]

    def randomize(self, data: int) -> None:
        """Draw from so many places of a scan."""
        rounds = -(-self.num_samples // data)
        self.drawn = np.concatenate([self.R.permutation(data) for _ in range(rounds)])[: self.num_samples]

    def __call__(self, data: Mapping[Hashable, MetaTensor], randomize: bool = True) -> list[dict]:
        """Items of the places that are drawn."""
        item = dict(data)
        own = item["places"]
        if randomize:
            self.randomize(len(own))
        others = nearest_places(self.places.points[own], self.neighbours)
        groups = torch.cat([torch.arange(len(own))[:, None], others], 1)[torch.as_tensor(self.drawn)]
        rest = {key: value for key, value in item.items() if key not in ("places", *self.keys)}
        return [rest | self._crops(item, own[group]) for group in groups]

    def _crops(self, item: dict, group: torch.Tensor) -> dict:
        """Images, places and queue of a place and its neighbours."""
        images = {
            key: torch.stack([self._cut(item[key], item["origin"] + self.places.points[number]) for number in group])
            for key in self.key_iterator(item)
        }
        return images | {"place": self.told[group], "place_number": int(self.places.queue[group[0]])}

    def _cut(self, image: MetaTensor, centre: torch.Tensor) -> torch.Tensor:
        start = crop_start(image, centre, self.crop_size)
        end = start + torch.tensor(self.crop_size)
        window = [slice(*bounds) for bounds in zip(start.clamp(min=0).tolist(), end.tolist(), strict=True)]
        within = image.as_tensor()[(slice(None), *window)]
        missing = zip(-start, end - torch.tensor(image.shape[1:]), strict=True)
        widths = [int(width) for pair in reversed(list(missing)) for width in torch.stack(pair).clamp(min=0)]
        return pad(within, widths, value=BACKGROUND)
