"""Where the lesion is in a mask, or in several of one scan; and what keeps a mask from being used."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import nibabel
import numpy as np

from ..errors import InputError
from .checks.whole_file import Unusable, header_of, in_words, require_finite, shape_text, voxels_of
from .mask_meaning import MaskMeaning
from .nifti import in_one_grid, load_scan, voxels_apart

__all__ = ["Mask", "lesion_of_scan", "paths_of", "read_mask", "whole_voxels"]

Image = nibabel.spatialimages.SpatialImage

WHOLE = 1e-3  # how far a number may be from a whole one that scale factors have rounded


@dataclass(frozen=True)
class Mask:
    """A mask as it is understood.

    Attributes:
        lesion: where it is, [X, Y, Z], bool.
        values: all whole numbers above 0 in it.
        is_cut: whether it had fractions, which are cut at a half.
    """

    lesion: np.ndarray
    values: frozenset[int]
    is_cut: bool


def paths_of(label: str | Sequence[str]) -> list[str]:
    """The files of a scan's `label`, which is one path or several."""
    return [label] if isinstance(label, (str, os.PathLike)) else list(label)


def lesion_of_scan(label: str | Sequence[str], image: str, meaning: MaskMeaning) -> np.ndarray:
    """Where the lesion of a scan is, in any of its masks, [X, Y, Z], bool.

    Args:
        label: path of the mask, or several of masks that are united.
        image: path of the scan, in whose grid they are.
        meaning: which of their numbers are the lesion.

    Raises:
        InputError: a mask cannot be used, or which of their numbers are the lesion is not said.
    """
    masks = [_named(path, image, meaning) for path in paths_of(label)]
    question = meaning.question(value for mask in masks for value in mask.values)
    if question:
        raise InputError(f"{paths_of(label)[0]}: {question}")
    return np.any([mask.lesion for mask in masks], axis=0)


def _named(path: str, image: str, meaning: MaskMeaning) -> Mask:
    try:
        return read_mask(path, image, meaning)
    except Unusable as fault:
        raise InputError(f"{path} {fault}.") from fault


def read_mask(path: str, image: str, meaning: MaskMeaning) -> Mask:
    """Read a mask in the grid of its scan, to the end of its file.

    Args:
        path: of the mask, [X, Y, Z] or [X, Y, Z, C].
        image: path of its scan.
        meaning: which of its numbers are the lesion. Where that is not said, all above 0 are.

    Raises:
        Unusable: it is unreadable, truncated, not 3D, not in the scan's grid, or has other numbers than a mask's.
        InputError: the scan is unreadable.
    """
    voxels, is_cut = whole_voxels(path, image, meaning.channel)
    values = np.unique(voxels[voxels != 0]).astype(int)
    lesion = voxels > 0 if meaning.values is None else np.isin(voxels, meaning.values)
    return Mask(lesion, frozenset(values.tolist()), is_cut)


def whole_voxels(path: str, image: str, channel: int | None = None) -> tuple[np.ndarray, bool]:
    """Numbers of a mask in the grid of its scan, whole and none below 0, read to the end of its file.

    Args:
        path: of the mask, [X, Y, Z] or [X, Y, Z, C].
        image: path of its scan.
        channel: of several.

    Returns:
        [X, Y, Z], and whether they were fractions between 0 and 1, which are cut at a half.

    Raises:
        Unusable: as for `read_mask`.
        InputError: the scan is unreadable.
    """
    scan = load_scan(image)
    with in_words(path):
        mask = header_of(path)
        _check_grid(mask, scan, image)
        voxels, is_cut = _whole_numbers(_channel(voxels_of(path, mask), channel))
    if voxels.size and (lowest := voxels.min()) < 0:
        raise Unusable(f"has values below 0 ({int(lowest)})")
    return voxels, is_cut


def _check_grid(mask: Image, scan: Image, path: str) -> None:
    if in_one_grid(scan, mask):
        return
    shapes = [shape_text(image.shape[:3]) for image in (mask, scan)]
    apart = f"{voxels_apart(scan.affine, mask.affine, scan.shape):.2g} voxels apart"
    why = apart if shapes[0] == shapes[1] else f"{shapes[0]} voxels, not {shapes[1]}"
    raise Unusable(f"is not in the grid of {path} ({why}): resample it to the scan's shape and affine")


def _channel(voxels: np.ndarray, channel: int | None) -> np.ndarray:
    """[X, Y, Z] of [X, Y, Z, ...], where at most one axis behind is longer than 1: that of channels."""
    several = [size for size in voxels.shape[3:] if size > 1]
    if voxels.ndim < 3 or len(several) > 1:
        raise Unusable(f"is not 3D (shape {shape_text(voxels.shape)})")
    channels = voxels.reshape(*voxels.shape[:3], -1)
    count = channels.shape[-1]
    if channel is None and count > 1:
        raise Unusable(f"has {count} channels: give lesion_channel, the number from 0 of the one that has lesions")
    if channel is not None and channel >= count:
        raise Unusable(f"has {count} {'channel' if count == 1 else 'channels'}, but lesion_channel is {channel}")
    return channels[..., channel or 0]


def _whole_numbers(voxels: np.ndarray) -> tuple[np.ndarray, bool]:
    """Voxels as whole numbers, and whether they were fractions between 0 and 1, which are cut at a half."""
    if voxels.dtype.kind in "biu":
        return voxels, False
    require_finite(voxels)
    rounded = np.floor(voxels + 0.5)
    off = np.abs(voxels - rounded)
    if off.max() <= WHOLE:
        return rounded, False
    example = f"{voxels[np.unravel_index(off.argmax(), off.shape)]:.4g}"
    if rounded.min() < 0 or rounded.max() > 1:
        raise Unusable(f"has numbers that are not whole ({example}): give its labels as they were drawn")
    if len(np.unique(voxels)) == 2:
        raise Unusable(f"has {example} as its one number but another: write whole numbers, 0 where there is no lesion")
    return rounded, True
