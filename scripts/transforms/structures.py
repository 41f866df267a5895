"""What a crop is made of: the share of each structure of a label map in it, and in its middle."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.utils import correct_nifti_header_if_necessary
from monai.transforms import MapTransform

from ..data.lesion_voxels import paths_of, whole_voxels
from ..data.nifti import file_of, load_scan
from ..data.structures import Structures

__all__ = ["LabelMap", "LoadLabelMapd", "StructureSharesd"]


@dataclass(frozen=True)
class LabelMap:
    """A label map in the grid of its scan's file.

    Attributes:
        voxels: values, [X, Y, Z].
        affine: voxel indices to mm, [4, 4].
    """

    voxels: np.ndarray
    affine: np.ndarray

    def __deepcopy__(self, memo: dict) -> "LabelMap":
        return self  # MONAI copies all that is not cropped, for each crop

    def at(self, affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Values at the voxels of another grid, [*shape]: of the nearest voxel of this one, and 0 outside of it."""
        to_own = np.linalg.solve(self.affine, affine)
        # one axis of that grid at a time, and all of them by broadcasting
        steps = [axis[:, None] * to_own[:3, i] for i, axis in enumerate(map(np.arange, shape))]
        places = steps[0][:, None, None] + steps[1][:, None] + steps[2] + to_own[:3, 3]
        # a little less than a half, so that rounding does not decide where a voxel lies between two of a coarser grid
        nearest = np.floor(places + 0.5 - 1e-6).astype(int)
        inside = ((nearest >= 0) & (nearest < self.voxels.shape)).all(-1)
        nearest[~inside] = 0
        return np.where(inside, self.voxels[tuple(np.moveaxis(nearest, -1, 0))], 0)


class LoadLabelMapd(MapTransform):
    """Loads the label map of a scan, if it is to be used, as a `LabelMap`.

    Args:
        keys: of the map's path; an item without it is left as it is.
        image: key of the scan: its path, or what was loaded from there.
        structures: of the cohort, and the numbers of the scans (`scan`) whose label maps can be used.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self, keys: KeysCollection, image: Hashable, structures: Structures, allow_missing_keys: bool = True
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image, self.structures = image, structures

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item, with a label map in place of its path."""
        item = dict(data)
        if item.get("scan") in self.structures.scans:
            scan = file_of(item[self.image])
            affine = correct_nifti_header_if_necessary(load_scan(scan)).affine
            for key in self.key_iterator(item):
                (path,) = paths_of(item[key])
                voxels, _ = whole_voxels(path, scan)
                item[key] = LabelMap(voxels.astype(np.int32), affine)
        return item


class StructureSharesd(MapTransform):
    """Write `structure_shares` of a crop, [2, S], float32: of its voxels, and of those of the cube in its middle.

    The label map stays in its own grid, whatever became of the scan since: each voxel of the crop is looked up in it by
    the crop's affine. Without a label map, shares are nan; without structures, nothing is written.

    Args:
        keys: of the crop's image; of several, the first is looked at.
        label_key: of its scan's `LabelMap`.
        structures: S of them.
        centre_mm: side of the cube in the middle.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        label_key: Hashable,
        structures: Structures,
        centre_mm: float = 20.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.label_key, self.structures, self.centre_mm = label_key, structures, centre_mm

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item with `structure_shares`."""
        item = dict(data)
        if not self.structures.names:
            return item
        image, known = item[self.first_key(item)], item.get(self.label_key)
        if not isinstance(known, LabelMap):
            return item | {"structure_shares": torch.full((2, len(self.structures.names)), torch.nan)}
        affine = np.asarray(image.affine, np.float64)
        values = known.at(affine, image.shape[1:])
        parts = (values, values[_middle(values.shape, affine, self.centre_mm)])
        return item | {"structure_shares": torch.from_numpy(np.stack([self._shares(part) for part in parts])).float()}

    def _shares(self, values: np.ndarray) -> np.ndarray:
        counts = np.bincount(values.ravel())
        return counts @ self.structures.members(len(counts) - 1) / values.size


def _middle(shape: tuple[int, ...], affine: np.ndarray, size_mm: float) -> tuple[slice, ...]:
    """Of each axis so many mm in the middle, at least a voxel and at most all."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    sizes = [min(max(round(size_mm / step), 1), size) for step, size in zip(spacing, shape, strict=True)]
    starts = [(size - middle) // 2 for size, middle in zip(shape, sizes, strict=True)]
    return tuple(slice(start, start + middle) for start, middle in zip(starts, sizes, strict=True))
