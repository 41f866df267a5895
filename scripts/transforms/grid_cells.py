"""Regions of a scan in a grid of cells, with a patch in each: what puzzles are made of."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import product
from math import prod

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable

from ..errors import InputError

__all__ = ["GridCellsd", "region_size"]


def region_size(cells: Sequence[int], patch_size: Sequence[int], jitter: Sequence[int]) -> list[int]:
    """Voxels of a region along each axis.

    Args:
        cells: along each axis.
        patch_size: of a patch, voxels.
        jitter: by how many voxels a cell is longer than a patch.

    Example:
        >>> region_size([3, 3, 1], [20, 20, 1], [2, 2, 0])
        [66, 66, 1]
    """
    return [number * (size + play) for number, size, play in zip(cells, patch_size, jitter, strict=True)]


class GridCellsd(Randomizable, MapTransform):
    """Draw regions of a scan, and where in each cell of a region its patch is, which `PatchAtd` cuts.

    Regions are drawn uniformly among all places where one fits, and a patch uniformly in its cell, so that from 0 to
    twice `jitter` voxels are between neighbours and no edge is seen to go on. Chance is drawn apart from being applied:
    `randomize` draws `starts` [num_samples, 3] and `offsets` [num_samples, cells, 3], and a call with
    `randomize=False` takes these.

    Args:
        keys: of the scan's images, of one size; the first is measured.
        cells: of a region, along each axis.
        patch_size: of a patch, voxels, [X, Y, Z].
        jitter: by how many voxels a cell is longer than a patch, [X, Y, Z].
        num_samples: regions of a scan.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        cells: Sequence[int],
        patch_size: Sequence[int],
        jitter: Sequence[int] = (0, 0, 0),
        num_samples: int = 1,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.cells, self.patch_size, self.jitter, self.num_samples = cells, patch_size, jitter, num_samples
        self.region_size = region_size(cells, patch_size, jitter)

    def randomize(self, data: Sequence[int]) -> None:
        """Draw where regions begin, and patches in their cells; `data` is the size of the scan, [X, Y, Z]."""
        room = np.subtract(data, self.region_size)
        self.starts = self.R.randint(room + 1, size=(self.num_samples, 3))
        self.offsets = self.R.randint(np.add(self.jitter, 1), size=(self.num_samples, prod(self.cells), 3))

    def __call__(self, data: Mapping[Hashable, MetaTensor], randomize: bool = True) -> list[dict]:
        """The scan once a patch, the cells of a region after each other.

        `cell` is a cell's number, the last axis fastest, and `corner` the first voxel of its patch, [3].

        Raises:
            InputError: the scan is smaller than a region.
        """
        item = dict(data)
        size = item[self.first_key(item)].shape[1:]
        self._require_room(size)
        if randomize:
            self.randomize(size)
        regions = self.starts[:, None] + self._cells() + self.offsets
        return [item | {"cell": cell, "corner": corner} for corners in regions for cell, corner in enumerate(corners)]

    def _cells(self) -> np.ndarray:
        """Where cells begin in a region, voxels, [cells, 3]."""
        return np.array(list(product(*map(range, self.cells)))) * np.add(self.patch_size, self.jitter)

    def _require_room(self, size: Sequence[int]) -> None:
        if any(have < want for have, want in zip(size, self.region_size, strict=True)):
            raise InputError(
                f"A scan has {tuple(size)} voxels, and a region of {_times(self.cells)} cells takes "
                f"{tuple(self.region_size)}: give fewer cells or a smaller patch_size."
            )


def _times(numbers: Sequence[int]) -> str:
    return " x ".join(map(str, numbers))
