"""Label maps of a scan, read as the numbers of their classes."""

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.data.utils import correct_nifti_header_if_necessary
from monai.transforms import MapTransform

from ..data.classes import class_map
from ..data.nifti import file_of, load_scan
from ..data.structures import Structures

__all__ = ["LoadClassMapd"]


class LoadClassMapd(MapTransform):
    """Loads the label map of a scan as numbers of classes, [1, X, Y, Z], int16, on the scan's own voxels.

    Values become classes before a map is resampled. Its affine is the scan's, from which that of its own file may
    differ by rounding, and the two would be resampled to other shapes.

    Args:
        keys: of the map's path.
        classes: whose values are in it.
        image: key of the scan: its path, or what was loaded from there.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self, keys: KeysCollection, classes: Structures, image: Hashable = "image", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image, self.classes = image, classes

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item, with label maps in place of their paths."""
        scan = file_of(data[self.image])
        affine = torch.from_numpy(correct_nifti_header_if_necessary(load_scan(scan)).affine)
        maps = {key: class_map(data[key], scan, self.classes) for key in self.key_iterator(data)}
        return {**data, **{key: MetaTensor(torch.from_numpy(one)[None], affine=affine) for key, one in maps.items()}}
