"""Where the structures of a scan's mask are, in mm."""

import numpy as np
from nibabel.affines import apply_affine

from ..errors import InputError
from .checks.whole_file import Unusable
from .lesion_voxels import paths_of, whole_voxels
from .structures import Structures
from .voxel_grid import grid_of

__all__ = ["Place", "places_in_mask"]

Triple = tuple[float, float, float]
Place = tuple[Triple, Triple]  # centre of mass, and size of the box around it


def places_in_mask(label: str | list[str], image: str, structures: Structures | None = None) -> dict[str, Place]:
    """Centre of mass of each structure that a mask has, and size of the box around it, in mm of the world, by its name.

    A box is the smallest along the world's axes whose middle is the centre of mass and that holds all of the
    structure's voxels.

    Args:
        label: path of the mask, in the grid of its scan.
        image: path of the scan.
        structures: which values are one; None: each value above 0, by its number.

    Raises:
        InputError: the scan or its mask cannot be used, or there are several masks.
    """
    path, *others = paths_of(label)
    if others:
        raise InputError(f"{path} and {len(others)} more of {image} are several masks: give them as one label map.")
    try:
        voxels, _ = whole_voxels(path, image)
    except Unusable as fault:
        raise InputError(f"{path} {fault}.") from fault
    affine = grid_of(image).affine
    marked = np.flatnonzero(voxels)
    values = voxels.ravel()[marked].astype(int)
    found = {}
    for name, numbers in _named(values, structures):
        indices = np.unravel_index(marked[np.isin(values, numbers)], voxels.shape)
        if indices[0].size:
            found[name] = _place(np.stack(indices, -1), affine)
    return found


def _named(values: np.ndarray, structures: Structures | None) -> list[tuple[str, tuple[int, ...]]]:
    if structures is None:
        return [(str(value), (value,)) for value in np.unique(values).tolist()]
    return list(zip(structures.names, structures.values, strict=True))


def _place(indices: np.ndarray, affine: np.ndarray) -> Place:
    """Of voxels [N, 3]."""
    centres = apply_affine(affine, indices)
    middle, half_a_voxel = centres.mean(0), np.abs(affine[:3, :3]).sum(1) / 2
    x, y, z = middle.tolist()
    size_x, size_y, size_z = (2 * (np.abs(centres - middle).max(0) + half_a_voxel)).tolist()
    return (x, y, z), (size_x, size_y, size_z)
