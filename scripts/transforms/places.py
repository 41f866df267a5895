"""Places that all bodies have in common: points of a grid in their frame, and which of them a scan shows."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import product

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from ..errors import InputError
from .foreground import inside_body

__all__ = ["PlacesInBodyd", "crop_start", "place_points"]

LEAST = 0.5  # of a crop is body: corners of a body's box are air in all scans, and show nothing to tell apart


def place_points(spacing: float, reach: Sequence[float]) -> torch.Tensor:
    """Points of a grid round the origin of the frame, [P, 3], float32, mm; the last axis changes fastest.

    Args:
        spacing: mm between neighbours.
        reach: how far points lie from the origin at most, mm, along each axis.

    Example:
        >>> place_points(50, [60, 20, 10])
        tensor([[-50.,   0.,   0.],
                [  0.,   0.,   0.],
                [ 50.,   0.,   0.]])
    """
    steps = [range(-int(end // spacing), int(end // spacing) + 1) for end in reach]
    return spacing * torch.tensor(list(product(*steps)), dtype=torch.float32)


def crop_start(image: MetaTensor, centre: torch.Tensor, crop_size: Sequence[int]) -> torch.Tensor:
    """First voxel of the crop whose centre is nearest to a point, [..., 3]; it may lie beyond the image's edge.

    Args:
        image: [C, X, Y, Z].
        centre: in scanner coordinates, mm, [..., 3].
        crop_size: voxels, [X, Y, Z].
    """
    affine = torch.as_tensor(image.affine, dtype=torch.float64)
    voxel = torch.linalg.solve(affine[:3, :3], (centre.double() - affine[:3, 3]).unsqueeze(-1)).squeeze(-1)
    return (voxel - (torch.tensor(crop_size, dtype=torch.float64) - 1) / 2).round().long()


class PlacesInBodyd(MapTransform):
    """Write which points lie in the body to `places`, their numbers [n], int64: half of a crop round them is body.

    Nothing is random here, so that it can be cached.

    Args:
        keys: of the scan's images, in one grid; the first is looked at. The item has the `origin` of its frame.
        points: relative to that, [P, 3], mm.
        crop_size: voxels, [X, Y, Z].
        fewest: places that a scan needs.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        points: torch.Tensor,
        crop_size: Sequence[int],
        fewest: int = 1,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.points, self.crop_size, self.fewest = points, crop_size, fewest

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `places`.

        Raises:
            InputError: there are too few.
        """
        item = dict(data)
        image = item[self.first_key(item)]
        inside = inside_body(image.as_tensor())
        starts = crop_start(image, self.points + item["origin"], self.crop_size)
        shares = torch.stack([self._share(inside, start) for start in starts])
        places = (shares >= LEAST).nonzero()[:, 0]
        if len(places) < self.fewest:
            raise InputError(
                f"{image.meta.get('filename_or_obj', 'A scan')} has {len(places)} of the places that crops are drawn "
                f"at, and {self.fewest} are needed: give a smaller place_spacing, fewer neighbours, a larger "
                "place_range if the body is beyond it, or leave the scan out."
            )
        return item | {"places": places}

    def _share(self, inside: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        first, end = start.clamp(min=0).tolist(), (start + torch.tensor(self.crop_size)).clamp(min=0).tolist()
        box = inside[first[0] : end[0], first[1] : end[1], first[2] : end[2]]
        return box.sum() / torch.tensor(self.crop_size).prod()
