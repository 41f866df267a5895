"""Images that are made without a network, beside the one that a network made."""

from collections.abc import Hashable, Mapping

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from ..probes.translation_baselines import TranslationBaselines

__all__ = ["TranslationBaselinesd"]


class TranslationBaselinesd(MapTransform):
    """Put the mean image and the regression of a scan behind what a network made of it, as channels.

    Args:
        keys: of what was made, [1, X, Y, Z], on the voxels of the prepared scan.
        image: key of the prepared scan.
        baselines: of the training; None: nothing is put there.
    """

    def __init__(self, keys: KeysCollection, image: str, baselines: TranslationBaselines | None) -> None:
        super().__init__(keys)
        self.image, self.baselines = image, baselines

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict:
        """The item, with [3, X, Y, Z] under the keys."""
        if self.baselines is None:
            return dict(data)
        others = self.baselines.images(convert_to_tensor(data[self.image]).cpu())
        return {**data, **{key: torch.cat([data[key].cpu(), others]) for key in self.key_iterator(dict(data))}}
