"""A page to judge images that were made: each between what it was made of, the real one, and their difference."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from monai.data import MetaTensor

from ..errors import counted
from ..handlers.translation_scores import Translated
from ..transforms.foreground import inside_body
from .page import write_page
from .point_planes import Place, planes

__all__ = ["write_translation_page"]

ROWS = {
    "mae": "Mean absolute error",
    "psnr": "Peak signal-to-noise ratio (dB)",
    "ssim": "Structural similarity",
    "mae_bone": "Mean absolute error in bone (above 200 HU)",
    "mae_soft_tissue": "Mean absolute error in soft tissue (-300 to 200 HU)",
    "mae_air": "Mean absolute error in air (below -300 HU)",
}
HIGHER = ("psnr", "ssim")  # is better
COLUMNS = {"": "made", "_mean_image": "mean image", "_voxelwise": "regression of intensities"}
WHITE = 0.25  # of the range: a difference that is white
PERCENTILES = (1, 99)  # of a source, which are black and white


def write_translation_page(path: Path, scans: Sequence[Translated], metrics: Mapping) -> None:
    """Write a page with a table of scores, then three planes of each scan.

    Args:
        path: of the page.
        scans: those that are shown.
        metrics: content of metrics.json.
    """
    columns = {which: name for which, name in COLUMNS.items() if f"mae{which}" in metrics}
    low, high = metrics["target_range"]
    write_page(
        path,
        "translation.html",
        [],
        {"metrics.json": dict(metrics)},
        title=f"{metrics['target']} made of {metrics['source']}",
        facts={
            "test scans": f"{metrics['scans']}, of {counted(metrics['subjects'], 'subject')}",
            "range": f"{low:g} to {high:g}",
        },
        columns=columns,
        lines={text: _line(name, columns, metrics) for name, text in ROWS.items() if name in metrics},
        scans=[{"scan": scan, "pictures": _pictures(scan, low, high)} for scan in scans],
        metrics=metrics,
    )


def _line(name: str, columns: Mapping[str, str], metrics: Mapping) -> dict[str, tuple]:
    """Of each column, the mean, its interval, if there is one, and whether it is the best."""
    keys = {column: f"{name}{which}" for which, column in columns.items()}
    known = [metrics[key] for key in keys.values() if metrics[key] is not None]
    best = (max if name in HIGHER else min)(known, default=None)
    return {
        column: (metrics[key], _interval(key, metrics), metrics[key] == best is not None)
        for column, key in keys.items()
    }


def _interval(key: str, metrics: Mapping) -> tuple[float, float] | None:
    ends = (f"{key}_low", f"{key}_high")
    return (metrics[ends[0]], metrics[ends[1]]) if ends[0] in metrics else None


def _pictures(scan: Translated, low: float, high: float) -> dict[str, list[bytes]]:
    """Planes through the middle of the body, of all that is shown of a scan."""
    black, white = np.percentile(scan.source.numpy(), PERCENTILES)
    difference = (scan.made - scan.target).abs()
    greys = {
        "source": _grey(scan.source, black, white),
        "target": _grey(scan.target, low, high),
        "made": _grey(scan.made, low, high),
        "difference": _grey(difference, 0, WHITE * (high - low)),
    }
    place = _middle(scan.source)
    return {name: planes(image, place) for name, image in greys.items()}


def _grey(image: torch.Tensor, black: float, white: float) -> MetaTensor:
    grey = ((image - black) / max(white - black, 1e-9)).clamp(0, 1)
    assert isinstance(grey, MetaTensor)
    return grey


def _middle(source: MetaTensor) -> Place:
    """The middle of the box of a scan's body, and its longest side."""
    body = inside_body(source.as_tensor()).nonzero()
    affine = source.affine.double()
    first, last = (torch.cat([end.double(), torch.ones(1)]) for end in (body.min(0).values, body.max(0).values))
    middle = affine @ ((first + last) / 2)
    side = float((affine[:3, :3].abs() @ (last - first)[:3]).max())
    return Place("", tuple(middle[:3].tolist()), max(side, 1.0))
