"""One channel of an image of several modalities."""

from collections.abc import Hashable, Mapping

from monai.data import MetaTensor
from monai.transforms import MapTransform

__all__ = ["OneModalityd"]


class OneModalityd(MapTransform):
    """Leave that channel of each image, [M, X, Y, Z], whose number is `modality`."""

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with images [1, X, Y, Z]."""
        item, number = dict(data), data["modality"]
        return item | {key: item[key][number : number + 1] for key in self.key_iterator(item)}
