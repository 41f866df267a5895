"""Resampling of the named images, and of nothing beside them."""

from collections.abc import Hashable, Mapping

import torch
from monai.transforms import Spacingd

__all__ = ["KeysOnlySpacingd"]


class KeysOnlySpacingd(Spacingd):
    """`Spacingd` that touches its own keys and no other.

    MONAI 1.6's takes every key that begins with `image_` for metadata of `image`: it fails on those of a server's
    request, such as `image_path`, and overwrites the affine of the scan as it was in `image_meta_dict`, by which the
    server places its result.
    """

    def __call__(self, data: Mapping[Hashable, torch.Tensor], lazy: bool | None = None) -> dict:
        """As `Spacingd`: images [C, X, Y, Z] under its keys, resampled."""
        own = {key: data[key] for key in self.key_iterator(data)}
        return {**data, **super().__call__(own, lazy)}
