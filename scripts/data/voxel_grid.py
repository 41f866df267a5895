"""Where the voxels of a scan are, by its header alone."""

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine

from ..errors import InputError
from .checks.whole_file import Unusable, scan_header

__all__ = ["Grid", "grid_of"]


@dataclass(frozen=True)
class Grid:
    """Voxels in the world of a scan's header, which is in mm, RAS+.

    Attributes:
        affine: voxel indices to mm, [4, 4].
        shape: numbers of voxels, (X, Y, Z).
    """

    affine: np.ndarray
    shape: tuple[int, int, int]

    def mm_outside(self, point: Sequence[float]) -> float:
        """How far a point is from the nearest of all voxels, which are boxes round their centres; 0 within them.

        Example:
            >>> grid = Grid(np.diag([2.0, 2, 2, 1]), (10, 10, 10))
            >>> grid.mm_outside((-1, 0, 19)), grid.mm_outside((-4, 0, 23))
            (0.0, 5.0)
        """
        index = apply_affine(np.linalg.inv(self.affine), point)
        nearest = np.clip(index, -0.5, np.array(self.shape) - 0.5)
        return float(np.linalg.norm(self.affine[:3, :3] @ (index - nearest)).round(6))

    def extent(self) -> str:
        """In words, between which mm of each axis of the world the voxels are."""
        corners = apply_affine(self.affine, list(itertools.product(*([-0.5, size - 0.5] for size in self.shape))))
        ends = zip("xyz", corners.min(0), corners.max(0), strict=True)
        return ", ".join(f"{axis} {low:.1f} to {high:.1f}" for axis, low, high in ends)


def grid_of(path: str | os.PathLike) -> Grid:
    """The grid of a scan, as a run has it that loads the scan.

    Raises:
        InputError: the file cannot be used as a 3D scan.
    """
    try:
        header = scan_header(path)
    except Unusable as fault:
        raise InputError(f"{path} {fault}.") from fault
    x, y, z = header.shape[:3]
    return Grid(np.asarray(header.affine, float), (x, y, z))
