"""What patches of a network's image say, on the voxels of the scan that it was made of."""

from collections.abc import Sequence

import numpy as np
import torch
from nibabel.affines import apply_affine

__all__ = ["PatchGrid", "patch_affine"]


def patch_affine(image: np.ndarray, size: Sequence[int], patches: Sequence[int]) -> np.ndarray:
    """Affine of patches that share an image evenly: number of a patch along each axis -> mm of its centre.

    Args:
        image: affine of the image, [4, 4].
        size: of the image, voxels along each axis.
        patches: along each axis.

    Example:
        >>> patch_affine(np.eye(4), (32, 32, 32), (4, 4, 4))[0]  # a patch each 8 mm, the first in the middle of 0 to 7
        array([8. , 0. , 0. , 3.5])
    """
    steps = np.divide(size, patches)
    return image @ np.array([*np.c_[np.diag(steps), (steps - 1) / 2], [0, 0, 0, 1]])


class PatchGrid:
    """The nearest patch of each voxel of a scan, nearest along the axes of the network's image.

    A voxel beyond the part of the image that is no padding was not seen, and has no patch.

    Args:
        scan: affine of the scan, [4, 4].
        shape: of the scan.
        image: affine of the network's image, [4, 4].
        size: of that, padding included.
        seen: of that, without padding, which comes behind.
        patches: along each axis of the image, padding included.

    Attributes:
        number: of each voxel's patch, as in a flat array of all of them, [X, Y, Z], int32; -1: none.
        without: of patches in what was seen that are nearest to no voxel, their numbers, [N].
        instead: of these, the voxel that is nearest to the patch's centre, in a flat scan, [N].
    """

    def __init__(
        self,
        scan: np.ndarray,
        shape: Sequence[int],
        image: np.ndarray,
        size: Sequence[int],
        seen: Sequence[int],
        patches: Sequence[int],
    ) -> None:
        steps = np.divide(size, patches)
        used = np.ceil(np.divide(seen, steps) - 1e-9).astype(int)  # patches that hold a voxel of the scan
        to_patch = np.linalg.inv(patch_affine(image, size, patches)) @ scan
        ends = (np.asarray(seen) - 0.5 - (steps - 1) / 2) / steps  # of what was seen, in patches
        self.number = torch.stack([_nearest(to_patch, i, shape, ends, used, patches) for i in range(shape[0])])
        every = np.ravel_multi_index(np.indices(tuple(used.tolist())).reshape(3, -1), patches)
        self.patches = int(np.prod(patches))
        self.voxels = torch.bincount(self.number.flatten() + 1, minlength=self.patches + 1)[1:]
        self.without = torch.from_numpy(every)[self.voxels[every] == 0]
        centres = np.stack(np.unravel_index(self.without.numpy(), patches), 1)
        nearest = apply_affine(np.linalg.inv(to_patch), centres).reshape(-1, 3).round().astype(int)
        inside = np.clip(nearest, 0, np.subtract(shape, 1))
        self.instead = torch.from_numpy(np.ravel_multi_index(tuple(inside.T), shape))

    def each(self, values: torch.Tensor) -> torch.Tensor:
        """Values of patches [px, py, pz] on voxels, [X, Y, Z], float32: that of the nearest, 0 where there is none."""
        return _looked_up(values.flatten().double(), self.number)

    def spread(self, values: torch.Tensor) -> torch.Tensor:
        """Values of patches [px, py, pz], each shared by the voxels that it is nearest to, so that their sum stays.

        What has no voxel, as where patches are smaller, is that of the voxel at its centre.
        """
        flat = values.flatten().double()
        shared = _looked_up(flat / self.voxels.clamp(min=1), self.number)
        shared.view(-1).index_add_(0, self.instead, flat[self.without].float())
        return shared


def _nearest(
    to_patch: np.ndarray, i: int, shape: Sequence[int], ends: np.ndarray, used: np.ndarray, patches: Sequence[int]
) -> torch.Tensor:
    """Numbers of patches of one slice of a scan, [Y, Z]: slice by slice, as places of all voxels take much memory."""
    begin = np.array([i, 0, 0])
    places = apply_affine(to_patch, np.indices((1, *shape[1:])).reshape(3, -1).T + begin)
    steps = 0.5 + 1e-6
    inside = ((places >= -steps) & (places <= ends + 1e-6)).all(1)
    nearest = np.clip(places.round().astype(int), 0, used - 1)
    numbers = np.where(inside, np.ravel_multi_index(tuple(nearest.T), patches), -1)
    return torch.from_numpy(numbers.reshape(shape[1:]).astype(np.int32))


def _looked_up(values: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
    """Values of numbers [X, Y, Z], 0 of -1; slice by slice, as an index takes twice the memory of what it finds."""
    known = torch.cat([values.float(), torch.zeros(1)])
    return torch.stack([known[of_slice.long()] for of_slice in number])
