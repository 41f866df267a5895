"""Crops with and without a lesion, in the share that is stated."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable, SpatialCrop

from ..errors import InputError

__all__ = ["LabelledCropsd", "lesion_windows"]


def lesion_windows(mask: torch.Tensor, crop_size: list[int]) -> torch.Tensor:
    """Whether a crop holds any lesion voxel, of each place where it can begin.

    Args:
        mask: lesion where it is above 0, [X, Y, Z].
        crop_size: voxels, [x, y, z].

    Returns:
        [X - x + 1, Y - y + 1, Z - z + 1], bool.
    """
    windows = mask if mask.dtype == torch.bool else mask > 0
    for axis, size in enumerate(crop_size):  # those of two windows that touch or overlap are those of a larger one
        width = 1
        while width < size:
            step = min(width, size - width)
            length = windows.shape[axis] - step
            windows = windows.narrow(axis, 0, length) | windows.narrow(axis, step, length)
            width += step
    return windows


class LabelledCropsd(Randomizable, MapTransform):
    """Draw crops; `class_label` of each, [1], is 1 if it holds a lesion voxel of the scan's mask, else 0.

    `lesion_ml`, [1], is the volume of lesion in it, by the affine of its first image.

    Crops with a lesion and crops without are each drawn uniformly among all places where there are such, so that the
    share of positive ones is as stated. A scan that has one kind alone gives that. (MONAI's `RandCropByPosNegLabel`
    draws centres: with pos 1 and neg 1, well over half of its crops hold some lesion.) A `class_label` of the scan, if
    it has one, has to be that of its mask, since those of its crops take its place.

    Args:
        keys: of the images that are cropped; all else of the item but the mask goes with each crop.
        label_key: of the scan's mask, [1, X, Y, Z], lesion where it is above 0.
        crop_size: voxels, [X, Y, Z].
        num_samples: crops of a scan.
        positive_share: of crops with a lesion, from 0 to 1.
        allow_missing_keys: as for `MapTransform`.

    Raises:
        InputError: the share is none; or, when it is called, the scan has a class that its mask does not have.
    """

    def __init__(
        self,
        keys: KeysCollection,
        label_key: Hashable,
        crop_size: list[int],
        num_samples: int,
        positive_share: float = 0.5,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if not 0 <= positive_share <= 1:
            raise InputError(f"positive_share is {positive_share}: give a share from 0 to 1.")
        self.label_key, self.crop_size = label_key, crop_size
        self.num_samples, self.positive_share = num_samples, positive_share

    def randomize(self, data: torch.Tensor) -> None:
        """Draw where crops begin, `starts` [num_samples, 3], positive ones first; `data` is the mask, [1, X, Y, Z]."""
        windows = lesion_windows(_lesion(data), self.crop_size)
        with_lesion = np.flatnonzero(windows)
        without = windows.numel() - len(with_lesion)
        positive = round(self.num_samples * self.positive_share)
        positive = self.num_samples if not without else positive if len(with_lesion) else 0
        places = with_lesion[self.R.randint(len(with_lesion), size=positive)] if positive else np.empty(0, int)
        if positive < self.num_samples:
            drawn = self.R.randint(without, size=self.num_samples - positive)
            before = with_lesion - np.arange(len(with_lesion))  # places without, before each that has some
            places = np.concatenate([places, drawn + np.searchsorted(before, drawn, side="right")])
        self.class_labels = np.arange(self.num_samples) < positive
        self.starts = np.stack(np.unravel_index(places, windows.shape), 1)

    def __call__(self, data: Mapping[Hashable, MetaTensor], randomize: bool = True) -> list[dict]:
        """Items of the crops, each image [C, *crop_size]."""
        self._require_class_of_mask(data)
        if randomize:
            self.randomize(torch.as_tensor(data[self.label_key]))
        rest = {key: value for key, value in data.items() if key != self.label_key}
        lesion = _lesion(data[self.label_key])
        affine = torch.as_tensor(data[self.first_key(dict(data))].affine, dtype=torch.float64)
        voxel_ml = affine[:3, :3].det().abs() / 1000
        crops = []
        for start, class_label in zip(self.starts, self.class_labels, strict=True):
            cut = SpatialCrop(roi_start=start, roi_end=start + self.crop_size)
            images = {key: cut(data[key]) for key in self.key_iterator(data)}
            lesion_ml = (lesion[cut.slices].sum() * voxel_ml).float()[None]
            known = {"class_label": torch.tensor([float(class_label)]), "lesion_ml": lesion_ml}
            crops.append({**rest, **images, **known})
        return crops

    def _require_class_of_mask(self, data: Mapping[Hashable, Any]) -> None:
        """Raise an `InputError` where a class is not that of the mask; 1 may be of one whose lesion was too small."""
        given = float(data.get("class_label", 1))
        if given > 1 or (given == 0 and _lesion(data[self.label_key]).any()):
            raise InputError(
                f"A scan of subject {data.get('subject', 'unknown')} has class {given:g}, and crops are labelled by "
                "whether its mask holds a lesion: leave out what gives scans other classes, such as outcomes.json."
            )


def _lesion(mask: torch.Tensor) -> torch.Tensor:
    """Where the lesion is in a mask [1, X, Y, Z], bool [X, Y, Z]; one of truth values is not copied."""
    mask = torch.as_tensor(mask)
    voxels = (mask.as_tensor() if isinstance(mask, MetaTensor) else mask)[0]
    return voxels if voxels.dtype == torch.bool else voxels > 0
