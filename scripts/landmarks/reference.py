"""What is known of landmarks from a scan in which they are marked."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import torch
from monai.data import MetaTensor
from monai.utils import convert_to_tensor

from ..data.landmarks import MarkedScan
from ..inferers.grid import GridInferer
from .body_box import share_of_box
from .matching import patches_of
from .place_regression import PlaceRegression

__all__ = ["Reference", "reference_of", "to_voxels"]


class Reference(NamedTuple):
    """Of L landmarks of one scan.

    Attributes:
        names: L of them.
        embeddings: of the crops around each, [L, 27, D].
        offsets: of these crops' centres from the landmark, in voxels, [L, 27, 3].
        patches: the intensities around each, as `patches_of` has them.
        shares: where each is in the body's box, [L, 3].
    """

    names: list[str]
    embeddings: torch.Tensor
    offsets: torch.Tensor
    patches: list[list[torch.Tensor]]
    shares: torch.Tensor

    def by_embeddings(self, place_of: PlaceRegression) -> torch.Tensor:
        """Where the landmarks are in another scan, by its own windows, in voxels, [L, 3]: the mean of all crops."""
        return (place_of(self.embeddings.cpu()) - self.offsets).mean(1)


def reference_of(
    scan: MarkedScan,
    preprocessing: Callable,
    windows: GridInferer,
    network: Callable,
    device: torch.device | str = "cpu",
) -> Reference:
    """Embed the surroundings of the landmarks of a scan.

    Args:
        scan: and where in it landmarks are.
        preprocessing: of an item with its `image`.
        windows: embed crops; their stride is also that between the crops around a landmark.
        network: an encoder.
        device: where it is.
    """
    image = preprocessing({"image": scan.image})["image"]
    points = to_voxels(image, torch.tensor([mark.point for mark in scan.landmarks], dtype=torch.float64))
    crop = torch.tensor(windows.crop_size)
    around = windows.stride * torch.tensor(list(product((-1, 0, 1), repeat=3)))
    corners = (points[:, None] + around - (crop - 1) / 2).round().long()
    corners = corners.clamp(min=torch.zeros(3, dtype=torch.long), max=torch.tensor(image.shape[1:]) - crop)
    voxels = convert_to_tensor(image).to(device)
    embeddings = windows.at(_rows(corners.flatten(0, 1)), voxels[None], network)
    return Reference(
        [mark.name for mark in scan.landmarks],
        embeddings.unflatten(0, corners.shape[:2]),
        corners + (crop - 1) / 2 - points[:, None],
        [patches_of(voxels, point) for point in points],
        share_of_box(points, image),
    )


def to_voxels(image: MetaTensor, points: torch.Tensor) -> torch.Tensor:
    """Places in an image, [N, 3], in voxels, of points in mm, [N, 3] float64."""
    affine = torch.as_tensor(image.affine, dtype=torch.float64, device="cpu")
    return torch.linalg.solve(affine[:3, :3], (points - affine[:3, 3]).T).T


def _rows(corners: torch.Tensor) -> Sequence[tuple[int, ...]]:
    return [tuple(corner) for corner in corners.tolist()]
