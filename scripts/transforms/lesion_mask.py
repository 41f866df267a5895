"""Masks of a scan, read as what they mean."""

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.data.utils import correct_nifti_header_if_necessary
from monai.transforms import MapTransform

from ..data.lesion_voxels import lesion_of_scan
from ..data.mask_meaning import BINARY, MaskMeaning
from ..data.nifti import load_scan

__all__ = ["LoadLesionMaskd"]


class LoadLesionMaskd(MapTransform):
    """Loads the masks of a scan as one, [1, X, Y, Z], bool: where the lesion is, on the scan's own voxels.

    What is the lesion is said before a mask is resampled, so that no value arises between two others. Its affine is the
    scan's, from which that of a mask's file may differ by rounding, and the two would be resampled to other shapes.

    Args:
        keys: of the masks: a path, or several of masks that are united.
        image: key of the scan's path; the scan is loaded after its masks.
        meaning: which numbers of the masks are the lesion.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        image: Hashable = "image",
        meaning: MaskMeaning = BINARY,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image, self.meaning = image, meaning

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item, with masks in place of their paths."""
        scan = data[self.image]
        affine = torch.from_numpy(correct_nifti_header_if_necessary(load_scan(scan)).affine)
        lesions = {key: lesion_of_scan(data[key], scan, self.meaning) for key in self.key_iterator(data)}
        return {**data, **{key: MetaTensor(torch.from_numpy(one)[None], affine=affine) for key, one in lesions.items()}}
