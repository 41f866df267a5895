"""The images of a case, of several modalities, as channels of one image in one grid."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import Compose, LoadImage, MapTransform, ResampleToMatch

from .padding import padding_to_air

__all__ = ["MISSING", "LoadModalitiesd"]

TOLERANCE = 1e-3  # mm, between affines of one grid
MISSING = 0.0  # of a channel that a case lacks: resampling leaves 0 exactly as it is, and a constant has no body


class LoadModalitiesd(MapTransform):
    """Replace the path of a case's image by the images of `modalities`, [M, X, Y, Z], float32, in the grid of that one.

    Others are resampled to it, linearly, where their grid differs; what is beyond their field of view has their lowest
    value, which is their air. A modality that the case lacks is constant at `MISSING`; `present`, bool [M], says which
    are there.

    Args:
        keys: `image`.
        modalities: M names of the item's `modalities`, in the order of channels; None: those that the item has, in its
            order.
        allow_missing_keys: as for `MapTransform`.

    Example:
        An item {"image": "P1_t1.nii", "modalities": {"t1": "P1_t1.nii"}}, with modalities ["t1", "ct"], gets an image
        of two channels and the `present` [True, False].
    """

    def __init__(
        self, keys: KeysCollection, modalities: Sequence[str] | None = None, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.modalities = modalities
        # padding becomes air before voxels are mixed
        self.load = Compose([LoadImage(image_only=True, ensure_channel_first=True), padding_to_air])
        self.resample = ResampleToMatch(mode="bilinear", padding_mode="zeros")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item with its images and `present`."""
        item = dict(data)
        paths = [item["modalities"].get(name) for name in self.modalities or item["modalities"]]
        for key in self.key_iterator(item):
            grid = self.load(item[key])
            channels = [self._channel(path, grid) for path in paths]
            item[key] = MetaTensor(torch.cat(channels), meta=grid.meta)
        return item | {"present": torch.tensor([path is not None for path in paths])}

    def _channel(self, path: str | None, grid: MetaTensor) -> torch.Tensor:
        """A modality in a grid, [1, X, Y, Z]."""
        if path is None:
            return torch.full(grid.shape, MISSING)
        image = self.load(path)
        if image.shape == grid.shape and torch.allclose(image.affine, grid.affine, rtol=0, atol=TOLERANCE):
            return image
        air = image.min()  # zero meanwhile, which is what MONAI can put outside of an image
        return self.resample(image - air, grid) + air
