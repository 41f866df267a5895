"""Crops with and without a lesion, in the share that is stated."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable, SpatialCrop
from torch.nn.functional import max_pool1d

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
    windows = (mask > 0).float()
    for axis, size in enumerate(crop_size):  # a maximum over a box is one along each axis in turn
        moved = windows.movedim(axis, -1)
        windows = max_pool1d(moved.reshape(-1, 1, moved.shape[-1]), size, stride=1)
        windows = windows.reshape(*moved.shape[:-1], -1).movedim(-1, axis)
    return windows > 0


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
        windows = lesion_windows(data[0], self.crop_size)
        with_lesion, without = (kind.nonzero().numpy() for kind in (windows, ~windows))
        positive = round(self.num_samples * self.positive_share)
        positive = self.num_samples if not len(without) else positive if len(with_lesion) else 0
        counts = zip((with_lesion, without), (positive, self.num_samples - positive), strict=True)
        starts = [kind[self.R.randint(len(kind), size=count)] for kind, count in counts if count]
        self.class_labels = np.arange(self.num_samples) < positive
        self.starts = np.concatenate(starts)

    def __call__(self, data: Mapping[Hashable, MetaTensor], randomize: bool = True) -> list[dict]:
        """Items of the crops, each image [C, *crop_size]."""
        self._require_class_of_mask(data)
        if randomize:
            self.randomize(torch.as_tensor(data[self.label_key]))
        rest = {key: value for key, value in data.items() if key != self.label_key}
        crops = []
        for start, class_label in zip(self.starts, self.class_labels, strict=True):
            cut = SpatialCrop(roi_start=start, roi_end=start + self.crop_size)
            images = {key: cut(data[key]) for key in self.key_iterator(data)}
            known = {"class_label": torch.tensor([float(class_label)]), "lesion_ml": self._lesion_ml(dict(data), cut)}
            crops.append({**rest, **images, **known})
        return crops

    def _require_class_of_mask(self, data: Mapping[Hashable, Any]) -> None:
        """Raise an `InputError` where a class is not that of the mask; 1 may be of one whose lesion was too small."""
        given, marked = float(data.get("class_label", 1)), bool((torch.as_tensor(data[self.label_key]) > 0).any())
        if given > 1 or (given == 0 and marked):
            raise InputError(
                f"A scan of subject {data.get('subject', 'unknown')} has class {given:g}, and crops are labelled by "
                "whether its mask holds a lesion: leave out what gives scans other classes, such as outcomes.json."
            )

    def _lesion_ml(self, data: dict, cut: SpatialCrop) -> torch.Tensor:
        voxels = (torch.as_tensor(cut(data[self.label_key])) > 0).sum()
        affine = torch.as_tensor(data[self.first_key(data)].affine, dtype=torch.float64)
        return (voxels * affine[:3, :3].det().abs() / 1000).float()[None]
