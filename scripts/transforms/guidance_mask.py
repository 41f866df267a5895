"""Masks of those scans that have one, and empty ones of all others."""

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from monai.data.utils import correct_nifti_header_if_necessary

from ..data.nifti import load_scan
from .lesion_mask import LoadLesionMaskd

__all__ = ["LoadGuidanceMaskd"]


class LoadGuidanceMaskd(LoadLesionMaskd):
    """`LoadLesionMaskd`, where a scan without a mask gets one without a lesion, so that a batch can hold both."""

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item, with masks [1, X, Y, Z], bool, in the grid of its scan."""
        present = [key for key in self.keys if key in data]
        if present:
            return super().__call__(data)
        scan = correct_nifti_header_if_necessary(load_scan(data[self.image]))
        empty = torch.zeros(1, *scan.shape[:3], dtype=torch.bool)
        return {**data, **{key: MetaTensor(empty.clone(), affine=torch.from_numpy(scan.affine)) for key in self.keys}}
