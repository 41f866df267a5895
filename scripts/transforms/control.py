"""Controls: what a network sees in place of its crops, to find out by what else a task can be solved."""

from collections.abc import Hashable, Mapping

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from monai.utils import MAX_SEED

from ..errors import require_one_of

__all__ = ["CONTROLS", "Controld"]

CONTROLS = ("none", "noise", "constant", "borders")
SHELL = 2  # voxels


class Controld(Randomizable, MapTransform):
    """Leave images as they are, or replace them; what is asked about them stays.

    Args:
        keys: of the images, [..., X, Y, Z].
        control: `none` leaves them; `noise`: each voxel is drawn from a standard normal distribution, on its own;
            `constant`: all voxels are 0; `borders`: all voxels are 0 but an outer shell of 2 voxels, by which
            neighbouring crops can be fitted together. An axis of one voxel has no borders.
        allow_missing_keys: as for `MapTransform`.

    Raises:
        InputError: unknown control.
    """

    def __init__(self, keys: KeysCollection, control: str = "none", allow_missing_keys: bool = False) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        require_one_of("control", control, CONTROLS)
        self.control, self.seed = control, 0

    def randomize(self, data=None) -> None:
        """Draw the seed of the noise."""
        self.seed = int(self.R.randint(MAX_SEED, dtype="uint32"))

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict:
        """The item with its images replaced."""
        if self.control == "none":
            return dict(data)
        self.randomize()
        generator = torch.Generator().manual_seed(self.seed)
        return {**data, **{key: self._replaced(data[key], generator) for key in self.key_iterator(dict(data))}}

    def _replaced(self, image: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if self.control == "noise":
            return torch.randn(image.shape, generator=generator)
        return torch.zeros_like(image) if self.control == "constant" else _borders(image)


def _borders(image: torch.Tensor) -> torch.Tensor:
    inside = tuple(slice(SHELL, size - SHELL) if size > 1 else slice(None) for size in image.shape[-3:])
    hollow = image.clone()
    hollow[(..., *inside)] = 0
    return hollow
