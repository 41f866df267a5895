"""Patches whose edges are hidden, so that none is seen to go on in the next one."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable

__all__ = ["HideEdgesd"]


class HideEdgesd(Randomizable, MapTransform):
    """Flip every second patch along its first axis, and put a part of it, from anywhere in it, into its middle.

    Chance is drawn apart from being applied: `randomize` draws `flipped` and `start`, the part's first voxel. MONAI's
    `RandFlipd`, `RandSpatialCropd` and `SpatialPadd` do the same, and of small patches take ten times as long.

    Args:
        keys: of the images, [C, X, Y, Z], all of which are changed alike.
        part_size: voxels, [X, Y, Z].
        value: of the voxels round the part.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self, keys: KeysCollection, part_size: Sequence[int], value: float, allow_missing_keys: bool = False
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.part_size, self.value = part_size, value
        self.flipped, self.start = False, np.zeros(3, int)

    def randomize(self, data: Sequence[int]) -> None:
        """Draw whether a patch is flipped, and where its part begins; `data` is its size, [X, Y, Z]."""
        self.flipped = bool(self.R.rand() < 0.5)
        self.start = self.R.randint(np.subtract(data, self.part_size) + 1)

    def __call__(self, data: Mapping[Hashable, torch.Tensor], randomize: bool = True) -> dict:
        """The item with images of the same size."""
        item = dict(data)
        if randomize:
            self.randomize(item[self.first_key(item)].shape[1:])
        return item | {key: self._hidden(item[key]) for key in self.key_iterator(item)}

    def _hidden(self, image: torch.Tensor) -> torch.Tensor:
        changed = torch.full_like(image, self.value)
        middle = np.subtract(image.shape[1:], self.part_size) // 2
        changed[self._part(middle)] = (image.flip(1) if self.flipped else image)[self._part(self.start)]
        return changed

    def _part(self, start: np.ndarray) -> tuple[slice, ...]:
        return (slice(None), *map(slice, start.tolist(), (start + self.part_size).tolist()))
