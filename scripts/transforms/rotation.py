"""Turned crops: by which rotation, is the question of the rotation task."""

import itertools
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable

from ..errors import InputError, require_one_of

__all__ = ["ROTATIONS", "LabelledRotationd", "rotate"]

IDENTITY = np.eye(3, dtype=int)


def _about(axis: int, quarters: int) -> np.ndarray:
    """Rotation by so many quarters of a turn about an axis."""
    first, second = [other for other in range(3) if other != axis]
    quarter = IDENTITY.copy()
    quarter[[first, second]] = -IDENTITY[second], IDENTITY[first]
    return np.linalg.matrix_power(quarter, quarters)


def _of_the_cube() -> list[np.ndarray]:
    """All proper rotations that take the axes to axes."""
    signed = (
        IDENTITY[list(order)] * signs
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    )
    return [matrix for matrix in signed if round(np.linalg.det(matrix)) == 1]


# matrices of each set; a rotation's class is its place there, and the first is the identity
ROTATIONS = {
    "axes": [IDENTITY, *(_about(axis, quarters) for axis in range(3) for quarters in (1, 2, 3))],
    "cube": _of_the_cube(),
    "slice": [_about(2, quarters) for quarters in range(4)],
}


def rotate(image: torch.Tensor, rotation: np.ndarray) -> torch.Tensor:
    """Turn an image about its middle, without interpolation.

    Args:
        image: [..., X, Y, Z].
        rotation: matrix R, [3, 3], of 0, 1 and -1: a voxel at p from the middle goes to R p.

    Returns:
        The image, with axes exchanged and mirrored.

    Example:
        >>> rotate(torch.tensor([[[0], [1]], [[2], [3]]]), ROTATIONS["slice"][1])[..., 0]  # x goes to y
        tensor([[1, 3],
                [0, 2]])
    """
    axes = np.abs(rotation).argmax(1)
    before = list(range(image.ndim - 3))
    turned = image.permute(*before, *(len(before) + int(axis) for axis in axes))
    mirrored = [len(before) + i for i in range(3) if rotation[i, axes[i]] < 0]
    return turned.flip(mirrored).contiguous()


class LabelledRotationd(Randomizable, MapTransform):
    """Turn a crop by one of some rotations, each as likely as any other, and write which to `rotation`.

    Source: Taleb et al., "3D Self-Supervised Methods for Medical Imaging", NeurIPS 2020, section 3.4.

    Args:
        keys: of the crop's images, [C, X, Y, Z], all of which are turned alike.
        rotations: `axes`: by 90, 180 and 270 degrees about each axis, and by none, the paper's 10; `cube`: all 24
            proper ones of a cube; `slice`: the 4 about the third axis, which keep axial slices such.
        region_size: of the crop, voxels, [X, Y, Z]; `spacing`: mm.
        allow_missing_keys: as for `MapTransform`.

    Attributes:
        turns: the rotations, by class.

    Raises:
        InputError: unknown rotations, or axes that are exchanged are told apart by their size or spacing.
    """

    def __init__(
        self,
        keys: KeysCollection,
        rotations: str,
        region_size: Sequence[int],
        spacing: Sequence[float],
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        require_one_of("rotations", rotations, ROTATIONS)
        exchanged = slice(0, 2 if rotations == "slice" else 3)
        if any(len(set(numbers[exchanged])) > 1 for numbers in (region_size, spacing)):
            raise InputError(
                f"Rotations exchange axes, by whose shape they could be told where region_size is {list(region_size)} "
                f"and spacing {list(spacing)}: give both the same number on "
                + ("the first two axes." if rotations == "slice" else "all axes, or --rotations slice.")
            )
        self.turns, self.drawn = ROTATIONS[rotations], 0

    def randomize(self, data=None) -> None:
        """Draw a class."""
        self.drawn = int(self.R.randint(len(self.turns)))

    def __call__(self, data: Mapping[Hashable, torch.Tensor], randomize: bool = True) -> dict:
        """The item with its images turned, and `rotation`, a whole number."""
        if randomize:
            self.randomize()
        turned = {key: rotate(data[key], self.turns[self.drawn]) for key in self.key_iterator(dict(data))}
        return {**data, **turned, "rotation": self.drawn}
