"""Which share of each patch of an image a person attends to, or ignores: by masks and points."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage, ResampleToMatch
from nibabel.affines import apply_affine

from ..data.nifti import load_scan
from ..errors import InputError, shorten
from ..networks.bag_scores import share_of_patches

__all__ = ["Region", "check_regions"]


class Region:
    """A part of the world, as a mask in any grid, as points, or both.

    Args:
        mask: path of a NIfTI file, above 0 in the region, which lies in the world of the scan; None: none.
        points: mm, RAS+, as a NIfTI file's affine has it; each stands for the patch that it lies in.
        name: of the setting, for what is said.

    Raises:
        InputError: points are none.
    """

    def __init__(self, mask: str | None, points: Sequence[Sequence[float]], name: str) -> None:
        self.mask, self.points, self.name = None if mask in (None, "null", "") else mask, points, name
        if not isinstance(points, Sequence) or not all(map(_is_place, points)):
            raise InputError(f"{name}_points is {points}: give a list of places in mm (RAS), such as [[12.5,-40,8]].")

    def __bool__(self) -> bool:
        return self.mask is not None or bool(self.points)

    def asked_for(self, data: Mapping[Hashable, Any]) -> "Region":
        """The region that an item has under its name, as a request to a server does; this one where it has none."""
        mask, points = data.get(self.name), data.get(f"{self.name}_points")
        return self if mask is None and points is None else Region(mask, points or [], self.name)

    def share(self, image: MetaTensor, seen: torch.Tensor, patches: torch.Size) -> torch.Tensor:
        """Share of what is seen of each of an image's patches that the region covers, [px, py, pz].

        Shares are those of the patch that is covered most, so that a region smaller than a patch still has one whole.

        Args:
            image: [C, X, Y, Z].
            seen: above 0 in what is no padding, [1, X, Y, Z].
            patches: along each axis.

        Raises:
            InputError: the mask cannot be read, or nothing of the region is in the image.
        """
        covered = torch.zeros(tuple(patches))
        if self.mask is not None:
            covered = self._covered(image, seen, patches)
        for point in self.points:
            covered[self._patch(point, image, seen, patches)] = 1
        return covered

    def _covered(self, image: MetaTensor, seen: torch.Tensor, patches: torch.Size) -> torch.Tensor:
        mask = self._read()
        resampled = ResampleToMatch(mode="nearest", padding_mode="zeros")(mask, image[:1])
        covered = share_of_patches(torch.as_tensor(resampled), seen, patches)
        if not covered.any():  # smaller than a voxel of the image, perhaps
            covered = _voxels_in_patches(mask, image, seen, patches)
        if not covered.any():
            raise InputError(
                f"Nothing of {self.name} ({self.mask}) lies in what the network sees, the body's box: give a mask that "
                "is above 0 there, in the world of the scan."
            )
        return covered / covered.max()

    def _read(self) -> MetaTensor:
        """1 in the mask, [1, X, Y, Z]."""
        assert self.mask is not None
        if not Path(self.mask).is_file():
            raise InputError(f"{self.name} is {self.mask}, which is no file: give a mask, as NIfTI.")
        try:
            mask = LoadImage(ensure_channel_first=True)(self.mask)
            np.linalg.inv(mask.affine)
        except Exception as error:  # whatever the reader raises
            raise InputError(
                f"{self.name} is {self.mask}, which cannot be read ({shorten(error)}): give a mask, as NIfTI."
            ) from error
        if mask.dim() != 4 or len(mask) > 1:
            size = " x ".join(map(str, load_scan(self.mask).shape))
            raise InputError(f"{self.name} is {self.mask}, which has {size} voxels: give a mask of three dimensions.")
        return MetaTensor((mask > 0).float().as_tensor(), affine=mask.affine)

    def _patch(
        self, point: Sequence[float], image: MetaTensor, seen: torch.Tensor, patches: torch.Size
    ) -> tuple[int, ...]:
        """Number of the patch along each axis that a point lies in."""
        place = apply_affine(np.linalg.inv(np.asarray(image.affine, dtype=float)), point) + 0.5
        size = np.array(image.shape[1:])
        if not ((place >= 0) & (place < size)).all() or seen[(0, *place.astype(int).tolist())] <= 0:
            raise InputError(
                f"{self.name}_points has {list(point)}, which is outside of what the network sees, the body's box: "
                "give places in it, in mm (RAS), as the scan's affine has them."
            )
        return tuple((place / size * patches).astype(int).tolist())


def _is_place(point: object) -> bool:
    return isinstance(point, Sequence) and len(point) == 3 and all(isinstance(one, int | float) for one in point)


def _voxels_in_patches(mask: MetaTensor, image: MetaTensor, seen: torch.Tensor, patches: torch.Size) -> torch.Tensor:
    """How many voxels of a mask have their centre in what is seen of each patch, [px, py, pz]."""
    to_image = np.linalg.inv(np.asarray(image.affine, dtype=float)) @ np.asarray(mask.affine, dtype=float)
    size, found = np.array(image.shape[1:]), torch.zeros(tuple(patches))
    for i, plane in enumerate(mask[0].numpy()):  # one by one, as places of all voxels take much memory
        within = np.argwhere(plane)
        places = apply_affine(to_image, np.c_[np.full(len(within), i), within]) + 0.5
        places = places[((places >= 0) & (places < size)).all(1)]
        places = places[(seen[0].numpy() > 0)[tuple(places.astype(int).T)]]
        numbers = torch.from_numpy((places / size * patches).astype(int))
        found.index_put_(tuple(numbers.T), torch.ones(len(numbers)), accumulate=True)
    return found


def check_regions(scans: Sequence[dict], regions: Sequence[Region], pooling: str, transform: Callable) -> None:
    """Raise an `InputError` where regions cannot be used, before a network runs.

    Args:
        scans: of inference.
        regions: empty ones are none.
        pooling: of the network.
        transform: makes `image` and `seen` of a scan.

    Raises:
        InputError: they are of several scans, of a network without attention of its own, or not in this scan.
    """
    given = [region for region in regions if region]
    if not given:
        return
    name = given[0].name
    if len(scans) > 1:
        raise InputError(f"{name} is of one scan, and there are {len(scans)}: give dataset_dir a list of that one.")
    if pooling != "interactive":
        raise InputError(f"{name} corrects a network of pooling interactive, and this one is of {pooling}.")
    scan = transform(scans[0])
    for region in given:
        region.share(scan["image"], scan["seen"], scan["image"].shape[1:])
