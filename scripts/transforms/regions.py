"""Which share of each patch of an image a person attends to, or ignores: by masks and points."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage, ResampleToMatch
from nibabel.affines import apply_affine

from ..errors import InputError, shorten
from ..networks.bag_scores import share_of_patches

__all__ = ["Region", "require_one_scan"]


class Region:
    """A part of the world, as a mask in any grid, as points, or both.

    Args:
        mask: path of a NIfTI file, above 0 in the region, which lies in the world of the scan; None: none.
        points: mm, RAS+, as a NIfTI file's affine has it; each stands for the patch that it lies in.
        name: of the setting, for what is said.
    """

    def __init__(self, mask: str | None, points: Sequence[Sequence[float]], name: str) -> None:
        self.mask, self.points, self.name = None if mask in (None, "null") else mask, points, name

    def __bool__(self) -> bool:
        return self.mask is not None or bool(self.points)

    def share(self, image: MetaTensor, seen: torch.Tensor, patches: torch.Size) -> torch.Tensor:
        """Share of what is seen of each of an image's patches that the region covers, [px, py, pz].

        Args:
            image: [C, X, Y, Z].
            seen: above 0 in what is no padding, [1, X, Y, Z].
            patches: along each axis.

        Raises:
            InputError: the mask cannot be read, or nothing of the region is in the image.
        """
        covered = torch.zeros(tuple(patches))
        if self.mask is not None:
            covered = share_of_patches(self._in_grid_of(image), seen, patches)
        for point in self.points:
            covered[self._patch(point, image, patches)] = 1
        if not covered.any():
            raise InputError(
                f"Nothing of {self.name} ({self.mask}) lies in what the network sees, the body's box: give a mask that "
                "is above 0 there, in the world of the scan, and not smaller than a voxel of spacing."
            )
        return covered

    def _in_grid_of(self, image: MetaTensor) -> torch.Tensor:
        assert self.mask is not None
        if not Path(self.mask).is_file():
            raise InputError(f"{self.name} is {self.mask}, which is no file: give a mask, as NIfTI.")
        try:
            mask = LoadImage(ensure_channel_first=True)(self.mask)[:1]
        except Exception as error:  # whatever the reader raises
            raise InputError(f"{self.name} is {self.mask}, which cannot be read ({shorten(error)}).") from error
        inside = MetaTensor((mask > 0).float().as_tensor(), affine=mask.affine)
        return torch.as_tensor(ResampleToMatch(mode="nearest", padding_mode="zeros")(inside, image[:1]))

    def _patch(self, point: Sequence[float], image: MetaTensor, patches: torch.Size) -> tuple[int, ...]:
        """Number of the patch along each axis that a point lies in."""
        voxel = apply_affine(np.linalg.inv(np.asarray(image.affine, dtype=float)), point)
        shares = (voxel + 0.5) / image.shape[1:]
        if ((shares < 0) | (shares >= 1)).any():
            raise InputError(
                f"{self.name}_points has {list(point)}, which is outside of what the network sees, the body's box: "
                "give places in it, in mm (RAS), as the scan's affine has them."
            )
        return tuple((shares * patches).astype(int).tolist())


def require_one_scan(scans: Sequence[dict], regions: Sequence[Region], pooling: str) -> None:
    """Raise an `InputError` where regions would be of several scans, or of a network without attention of its own."""
    if not any(regions):
        return
    name = next(region.name for region in regions if region)
    if len(scans) > 1:
        raise InputError(f"{name} is of one scan, and there are {len(scans)}: give dataset_dir a list of that one.")
    if pooling != "interactive":
        raise InputError(f"{name} corrects a network of pooling interactive, and this one is of {pooling}.")
