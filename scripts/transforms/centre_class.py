"""The class of a crop: what most of its centre is of."""

from collections.abc import Hashable, Mapping, Sequence

import torch
from monai.config import KeysCollection
from monai.transforms import CenterSpatialCrop, MapTransform
from monai.utils import convert_to_tensor

__all__ = ["CentreClassd"]


class CentreClassd(MapTransform):
    """Write `class_label` of a crop, [1], the most frequent class of its centre, in place of its label map.

    Of classes that are equally frequent, it is the one with the lowest number. Voxels below 0 are of none, such as
    those that a scan was padded with.

    Args:
        keys: of the crop's label map, [1, X, Y, Z], numbers of classes.
        centre: voxels of the centre along each axis; it is no larger than the crop.
        allow_missing_keys: as for `MapTransform`.

    Example:
        >>> voxels = torch.zeros(1, 6, 6, 6)
        >>> voxels[:, 2:4, 2:4, 2:4] = 7
        >>> CentreClassd("label", [2, 2, 2])({"label": voxels})
        {'class_label': tensor([7.])}
    """

    def __init__(self, keys: KeysCollection, centre: Sequence[int], allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.cut = CenterSpatialCrop(centre)

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict:
        """The item with `class_label`, and without the label map."""
        item = dict(data)
        for key in self.key_iterator(data):
            numbers = convert_to_tensor(self.cut(item.pop(key))).long().flatten()
            item["class_label"] = numbers[numbers >= 0].bincount().argmax().float()[None]
        return item
