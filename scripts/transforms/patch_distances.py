"""How much the patches of a region differ from one another, and which of them look like any other."""

from collections.abc import Hashable, Sequence
from math import prod

import torch
from monai.transforms import Transform

__all__ = ["PatchDistances"]


class PatchDistances(Transform):
    """Write to each patch of a region its distances to all of them, and whether it is empty.

    They are all that the loss of a puzzle needs of the voxels: N numbers a patch.

    Args:
        key: of the image of a patch, [C, X, Y, Z].
        cells: of a region, along each axis.
        empty_spread: standard deviation of its voxels up to which a patch is empty, as air is.
    """

    def __init__(self, key: Hashable, cells: Sequence[int], empty_spread: float = 0.0) -> None:
        self.key, self.cells, self.empty_spread = key, prod(cells), empty_spread

    def __call__(self, data: Sequence[dict]) -> list[dict]:
        """The items of whole regions of N patches each, in any order.

        `distances`, [N], float32, are the mean squares of what a patch differs by from each one of its region, in the
        order of these; `empty` is true or false.
        """
        regions = (data[first : first + self.cells] for first in range(0, len(data), self.cells))
        return [item for region in regions for item in self._measured(region)]

    def _measured(self, region: Sequence[dict]) -> list[dict]:
        voxels = torch.stack([torch.as_tensor(item[self.key]).flatten() for item in region]).double()
        distances = (torch.cdist(voxels, voxels).square() / voxels.shape[1]).float()
        empty = (voxels.std(1, correction=0) <= self.empty_spread).tolist()
        return [
            {**item, "distances": row, "empty": alike}
            for item, row, alike in zip(region, distances, empty, strict=True)
        ]
