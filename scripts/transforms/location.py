"""Where a crop lies: its centre in millimetres, in a frame in which places can be compared."""

from collections.abc import Hashable, Mapping

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from ..errors import require_one_of

__all__ = ["FRAMES", "BodyBoxd", "CropInBoxd", "CropLocationd", "FrameOrigind", "centre_mm"]

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


class FrameOrigind(MapTransform):
    """Write the origin of a scan's frame, in scanner coordinates (mm, [3]), to `origin`.

    Args:
        keys: of the scan's images, in one grid; the first is measured.
        frame: `foreground`: the centre of the image as it is now, that is of the body's box when this follows
            `CropForegroundd`, which makes scans comparable that are not registered. `scanner`: zero, for scans that
            share one coordinate system already.
        allow_missing_keys: as for `MapTransform`.

    Raises:
        InputError: unknown frame.
    """

    def __init__(self, keys: KeysCollection, frame: str, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        require_one_of("frame", frame, FRAMES)
        self.frame = frame

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `origin`, [3], float64."""
        item = dict(data)
        centre = centre_mm(item[self.first_key(item)])
        return item | {"origin": centre if self.frame == "foreground" else torch.zeros_like(centre)}


class CropLocationd(MapTransform):
    """Write where a crop's centre is, relative to its scan's `origin`, [3], float32.

    `location` is in mm, along the patient's axes; `voxel` in voxels, along the scan's own.

    Args:
        keys: of the crop's images, in one grid; the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `location` and `voxel`."""
        item = dict(data)
        image = item[self.first_key(item)]
        location = centre_mm(image) - item["origin"]
        axes = torch.as_tensor(image.affine, dtype=torch.float64)[:3, :3]
        return item | {"location": location.float(), "voxel": torch.linalg.solve(axes, location).float()}


class BodyBoxd(MapTransform):
    """Write `box` of a scan as it is now, [4, 4], float64: from shares of its sides to mm.

    After a crop to the body and a padding to the size of a crop, that is the body's box, and on an axis on which the
    body is shorter than a crop, the crop's.

    Its middle is 0, 0, 0, and its sides end at -0.5 and 0.5.

    Args:
        keys: of the scan's images, in one grid; the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `box`."""
        item = dict(data)
        image = item[self.first_key(item)]
        box = torch.as_tensor(image.affine, dtype=torch.float64).clone()
        box[:3, :3] *= torch.tensor(image.shape[1:])
        box[:3, 3] = centre_mm(image)
        return item | {"box": box}


class CropInBoxd(MapTransform):
    """Write `box_share` of a crop, [3], float32: where its centre is in its scan's `box`, from -0.5 to 0.5.

    Args:
        keys: of the crop's images, in one grid; the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with `box_share`."""
        item = dict(data)
        box, centre = item["box"], centre_mm(item[self.first_key(item)])
        return item | {"box_share": torch.linalg.solve(box[:3, :3], centre - box[:3, 3]).float()}
