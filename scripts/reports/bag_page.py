"""A page to judge what a network looks at: planes of each scan, and of what its patches say."""

from collections.abc import Sequence
from pathlib import Path

import torch
from monai.data import MetaTensor

from ..handlers.save_bags import ShownBag
from .page import write_page
from .point_planes import Place, extent_mm, planes, planes_through

__all__ = ["write_bag_page"]


def write_bag_page(path: Path, scans: Sequence[ShownBag], number: int) -> None:
    """Write a page with three planes of each scan through the patch that has most to do with its score.

    Args:
        path: of the page.
        scans: those that are shown.
        number: of scans in all.
    """
    places = {scan.name: Place(scan.path, scan.place, extent_mm(scan.path)) for scan in scans}
    images = planes_through(places.values())
    write_page(
        path,
        "bags.html",
        [],
        {},
        title="What scans are said to be, and where",
        facts={"scans": str(number)},
        number=number,
        scans=[{"scan": scan, "pictures": _pictures(scan, places[scan.name], images)} for scan in scans],
    )


def _pictures(scan: ShownBag, place: Place, images: dict[Place, list[bytes]]) -> dict[str, list[bytes]]:
    """Planes of the image and of each map, by name."""
    white = max(float(values.max()) for name, values in scan.maps.items() if name.startswith("contribution"))
    maps = {
        name: planes(_boxes(values, white if name.startswith("contribution") else 1.0), place)
        for name, values in scan.maps.items()
    }
    return {"image": images[place], **maps}


def _boxes(values: MetaTensor, white: float) -> MetaTensor:
    """Patches as boxes: each becomes several voxels, since planes are interpolated."""
    times = 4
    fine = values.as_tensor()
    for axis in (1, 2, 3):
        fine = fine.repeat_interleave(times, axis)
    steps = torch.diag(torch.tensor([1 / times] * 3 + [1], dtype=torch.float64))
    steps[:3, 3] = (1 / times - 1) / 2
    return MetaTensor((fine / max(white, 1e-9)).clamp(0, 1), affine=values.affine.double() @ steps)
