"""Three planes of scans through points, as pictures whose middle is the point."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage, SpatialResample

from ..data.nifti import load_scan
from ..errors import shorten
from ..progress import with_progress
from .png import grey_png

__all__ = ["Place", "extent_mm", "planes", "planes_through"]

logger = logging.getLogger(__name__)

PIXELS = 161  # of a picture's side: odd, so that one of them is the middle
PERCENTILES = (1, 99)  # of a scan's intensities, which are black and white
AIR, SOFT_TISSUE = -500, (-250.0, 350.0)  # Hounsfield units: a scan with values below the first is a CT
NORMALS = (2, 1, 0)  # axes across which the planes lie: axial, coronal, sagittal


class Place(NamedTuple):
    """A point of a scan, and how much around it is to be seen.

    Attributes:
        scan: path of its file.
        point: mm, RAS+, the world of the scan's header.
        side_mm: of the square pictures.
    """

    scan: str
    point: tuple[float, float, float]
    side_mm: float


def planes_through(places: Iterable[Place]) -> dict[Place, list[bytes]]:
    """The axial, coronal and sagittal plane of the world through each place, as PNG; none where a scan cannot be read.

    Right, front and head are right and up in the pictures; what is outside of a scan is black. Scans are read one after
    the other, each once.
    """
    of_scan: dict[str, dict[Place, list[bytes]]] = {}
    for place in places:
        of_scan.setdefault(place.scan, {})[place] = []
    for scan, found in with_progress(of_scan.items(), "Reading scans for the page:", total=len(of_scan)):
        try:
            image = _grey(scan)
            found.update({place: planes(image, place) for place in found})
        except Exception as error:  # whatever it is, there is a page, if with fewer pictures
            logger.warning(f"{Path(scan).name} is not shown on the page: {shorten(error)}")
    return {place: pictures for of_one in of_scan.values() for place, pictures in of_one.items()}


def extent_mm(scan: str) -> float:
    """The longest side of the box along the world's axes that holds a scan."""
    image = load_scan(scan)
    return float((np.abs(image.affine[:3, :3]) @ image.shape[:3]).max())


def _grey(scan: str) -> MetaTensor:
    """A scan's first channel, [1, X, Y, Z], from 0 (black) to 1 (white); of a CT, soft tissue."""
    image = LoadImage(ensure_channel_first=True)(scan)[:1]
    low, high = np.percentile(image[0, ::2, ::2, ::2].numpy(), PERCENTILES)
    low, high = SOFT_TISSUE if low < AIR else (low, high)
    grey = ((image - low) / max(high - low, 1e-9)).clamp(0, 1)
    assert isinstance(grey, MetaTensor)
    return grey


def planes(image: MetaTensor, place: Place) -> list[bytes]:
    """The axial, coronal and sagittal plane of the world through a place, as PNG.

    Args:
        image: [1, X, Y, Z], from 0 (black) to 1 (white).
        place: in it, whatever its scan.
    """
    return [grey_png(_plane(image, place, normal)) for normal in NORMALS]


def _plane(image: MetaTensor, place: Place, normal: int) -> np.ndarray:
    """Pixels of a plane, [rows, columns], uint8, the first row being the upper one."""
    step, size = place.side_mm / PIXELS, np.full(3, PIXELS)
    size[normal] = 1
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = np.subtract(place.point, step * (size - 1) / 2)
    resample = SpatialResample(mode="bilinear", padding_mode="zeros", dtype=np.float32)
    plane = resample(image, torch.from_numpy(affine), size.tolist())[0].numpy().take(0, normal)
    return (plane.T[::-1] * 255).round().astype(np.uint8)
