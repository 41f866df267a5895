"""Landmarks as a mask, for programs that know images alone."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from nibabel.affines import apply_affine

__all__ = ["LandmarkMaskd"]


class LandmarkMaskd(MapTransform):
    """Moves a table of landmarks [K, 4] to `landmarks`, and writes a mask of balls [1, X, Y, Z] in its place.

    The ball around landmark k (from 0) has the value k + 1, float32; where two meet, a voxel is of the nearer one. A
    landmark in the image has one voxel at least; one whose place is nan has none. `Invertd` brings the mask to the
    scan's own grid.

    Args:
        keys: of the table: x, y, z in voxels of the image, and the confidence.
        image: key of the image [C, X, Y, Z], whose grid and affine the mask has.
        radius_mm: of the balls.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        image: Hashable = "image",
        radius_mm: float = 5.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image, self.radius_mm = image, radius_mm

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item with `landmarks` and the mask."""
        item = dict(data)
        image = item[self.image]
        affine = np.asarray(image.affine.cpu(), np.float64)
        for key in self.key_iterator(item):
            item["landmarks"] = item[key].as_subclass(torch.Tensor).cpu()
            points = item["landmarks"][:, :3].double().numpy()
            mask = torch.from_numpy(_balls(points, affine, tuple(image.shape[1:]), self.radius_mm))
            item[key] = MetaTensor(mask[None], affine=image.affine, device=image.device)
        return item


def _balls(points: np.ndarray, affine: np.ndarray, shape: tuple[int, ...], radius_mm: float) -> np.ndarray:
    """Numbers of the balls around points [K, 3], from 1, in a grid; 0 elsewhere."""
    mask, nearest = np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32)
    for value, point in enumerate(points, 1):
        if np.isfinite(point).all():
            around = _around(point, affine, shape, radius_mm)
            away = _distances(point, affine, around)
            inside = (away <= max(radius_mm, away.min(initial=np.inf))) & (away < nearest[around])
            mask[around][inside], nearest[around][inside] = value, away[inside]
    return mask


def _around(point: np.ndarray, affine: np.ndarray, shape: tuple[int, ...], radius_mm: float) -> tuple[slice, ...]:
    """The voxels of a grid that a ball's box holds, and those next to its middle."""
    reach = radius_mm * np.linalg.norm(np.linalg.inv(affine[:3, :3]), axis=1)
    low = np.clip(np.floor(point - reach), 0, shape).astype(int)
    high = np.clip(np.ceil(point + reach) + 1, 0, shape).astype(int)
    return tuple(map(slice, low, high))


def _distances(point: np.ndarray, affine: np.ndarray, around: tuple[slice, ...]) -> np.ndarray:
    """Of voxels from a point, mm."""
    voxels = np.moveaxis(np.mgrid[around], 0, -1)
    return np.linalg.norm(apply_affine(affine, voxels) - apply_affine(affine, point), axis=-1)
