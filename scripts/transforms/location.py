"""Where a crop lies: its centre in millimetres, in a frame in which places can be compared."""

from collections.abc import Hashable, Mapping

import torch
from monai.data import MetaTensor
from monai.transforms import Transform

from ..errors import InputError

__all__ = ["FRAMES", "CropLocationd", "FrameOrigind", "centre_mm"]


FRAMES = ("foreground", "scanner")


def centre_mm(image: MetaTensor) -> torch.Tensor:
    """Centre of an image in scanner coordinates: affine @ (size - 1) / 2.

    Args:
        image: [C, X, Y, Z]; its affine maps voxel indices to mm.

    Returns:
        x, y, z in mm, [3], float64.

    Example:
        >>> centre_mm(MetaTensor(torch.zeros(1, 5, 3, 3), affine=torch.diag(torch.tensor([2.0, 1, 1, 1]))))
        tensor([4., 1., 1.], dtype=torch.float64)
    """
    affine = torch.as_tensor(image.affine, dtype=torch.float64)
    middle = (torch.tensor(image.shape[1:], dtype=torch.float64) - 1) / 2
    return affine[:3, :3] @ middle + affine[:3, 3]


class FrameOrigind(Transform):
    """Write the origin of a scan's frame, in scanner coordinates (mm, [3]), to `origin`.

    Args:
        frame: `foreground`: the centre of the image as it is now, that is of the body's box when this follows
            `CropForegroundd`, which makes scans comparable that are not registered. `scanner`: zero, for scans that
            share one coordinate system already.

    Raises:
        InputError: unknown frame.
    """

    def __init__(self, frame: str) -> None:
        if frame not in FRAMES:
            raise InputError(f"There is no frame '{frame}': set frame to one of {', '.join(FRAMES)}.")
        self.frame = frame

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        centre = centre_mm(data["image"])
        return dict(data) | {"origin": centre if self.frame == "foreground" else torch.zeros_like(centre)}


class CropLocationd(Transform):
    """Write where a crop's centre is, relative to its scan's `origin`, [3], float32.

    `location` is in mm, along the patient's axes; `voxel` in voxels, along the scan's own.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        location = centre_mm(data["image"]) - data["origin"]
        axes = torch.as_tensor(data["image"].affine, dtype=torch.float64)[:3, :3]
        return dict(data) | {"location": location.float(), "voxel": torch.linalg.solve(axes, location).float()}
