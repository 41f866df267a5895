"""Resampling along one axis after the other, where grids are parallel."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import SpatialResample
from monai.transforms.inverse import TraceableTransform

from .spacing import KeysOnlySpacingd

__all__ = ["SeparableResample", "SeparableSpacingd", "along_axis", "on_grid"]

TOLERANCE = 1e-3  # voxels, by which no place may be off where small shears are left out
UNCHANGED = 1e-3  # as MONAI has it: an affine that is nearer to another is the same
SLAB = 4  # slices that are in work at once


def along_axis(image: torch.Tensor, axis: int, places: torch.Tensor) -> torch.Tensor:
    """An image at other places along an axis, by linear interpolation; beyond its edge, it goes on as it is there.

    Args:
        image: of any type and order in memory.
        axis: along which.
        places: in voxels, float64, [P].

    Returns:
        float32, of P voxels along the axis.

    Example:
        >>> along_axis(torch.tensor([[0, 10, 20]]), 1, torch.tensor([-1, 0.5, 1.75], dtype=torch.float64))
        tensor([[ 0.0000,  5.0000, 17.5000]])
    """
    size = image.shape[axis]
    places = places.clamp(0, size - 1)
    below = places.floor().long()
    above = (below + 1).clamp(max=size - 1)
    weights = (places - below).float().view([-1 if i == axis else 1 for i in range(image.ndim)])
    one, other = (image.index_select(axis, voxels).float() for voxels in (below, above))
    return one.lerp_(other, weights)


def on_grid(volume: torch.Tensor, places: Sequence[torch.Tensor]) -> torch.Tensor:
    """A volume [X, Y, Z] at other places along each of its axes, float32, as `along_axis` has it.

    Args:
        volume: of any type and order in memory.
        places: in voxels, float64, [X'], [Y'], [Z'].
    """
    layout = sorted(range(3), key=volume.stride, reverse=True)
    slow, middle, fast = (places[axis] for axis in layout)
    slabs = volume.permute(layout).split(SLAB)  # as they lie in memory, and small enough for the processor's own
    volume = along_axis(torch.cat([along_axis(along_axis(slab, 1, middle), 2, fast) for slab in slabs]), 0, slow)
    return volume.permute([layout.index(axis) for axis in range(3)]).contiguous()


class SeparableResample(SpatialResample):
    """`SpatialResample` that is several times faster, and takes less memory, where the axes of both grids are parallel.

    That is so of `bilinear` interpolation with `border` padding, and of grids the axes of which make no place differ by
    more than a thousandth of a voxel; all else is MONAI's. Sums are of float32, in place of float64.
    """

    def __call__(
        self,
        img: torch.Tensor,
        dst_affine: torch.Tensor | None = None,
        spatial_size: Sequence[int] | torch.Tensor | int | None = None,
        mode: str | int | None = None,
        padding_mode: str | None = None,
        align_corners: bool | None = None,
        dtype: Any = None,
        lazy: bool | None = None,
    ) -> torch.Tensor:
        """The image [C, X, Y, Z] on another grid, float32; arguments are those of `SpatialResample`."""
        linear = (mode or self.mode, padding_mode or self.padding_mode) == ("bilinear", "border")
        eager = linear and not (self.lazy if lazy is None else lazy)
        if eager and isinstance(img, MetaTensor) and img.ndim == 4 and isinstance(spatial_size, (list, tuple)):
            before, after = (np.asarray(affine, np.float64) for affine in (img.affine, dst_affine))
            step, size = np.linalg.solve(before, after), [int(voxels) for voxels in spatial_size]
            same = size == list(img.shape[1:]) and (_near(before, after) or _near(step, np.eye(4)))
            if _is_parallel(step, size) and not same:  # MONAI leaves the same as it is
                return self._resampled(img, step, size, bool(align_corners))
        return super().__call__(img, dst_affine, spatial_size, mode, padding_mode, align_corners, dtype, lazy)

    def _resampled(self, img: MetaTensor, step: np.ndarray, size: list[int], align_corners: bool) -> torch.Tensor:
        done = {
            "dtype": "float64",
            "mode": "bilinear",
            "padding_mode": "border",
            "align_corners": align_corners,
            "src_affine": img.affine,
        }
        traced = TraceableTransform.track_transform_meta(
            img,
            sp_size=size,
            affine=torch.as_tensor(step),
            extra_info=done,
            orig_size=img.shape[1:],
            transform_info=self.get_transform_info(),
        )
        places = [step[i, i] * torch.arange(size[i], dtype=torch.float64) + step[i, 3] for i in range(3)]
        resampled = torch.stack([on_grid(channel, places) for channel in img.as_tensor()])
        return MetaTensor(resampled).copy_meta_from(traced)


class SeparableSpacingd(KeysOnlySpacingd):
    """`Spacingd` by `SeparableResample`.

    Args:
        keys, pixdim, mode, and all others: as for `Spacingd`.
    """

    def __init__(self, keys: KeysCollection, pixdim: Sequence[float] | float, **options: Any) -> None:
        super().__init__(keys, pixdim, **options)
        resample = self.spacing_transform.sp_resample
        self.spacing_transform.sp_resample = SeparableResample(
            resample.mode, resample.padding_mode, resample.align_corners, resample.dtype, resample.lazy
        )


def _is_parallel(step: np.ndarray, size: Sequence[int]) -> bool:
    """Whether a grid's axes are those of another, to which its voxels are mapped."""
    linear = step[:3, :3]
    return bool((np.abs(linear - np.diag(np.diag(linear))) @ np.asarray(size, float) < TOLERANCE).all())


def _near(one: np.ndarray, other: np.ndarray) -> bool:
    return np.allclose(one, other, atol=UNCHANGED)
