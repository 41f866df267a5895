"""Baselines of images that are made, fitted to the scans of a training."""

import os
from collections.abc import Mapping, Sequence

import torch
from monai.utils import convert_to_tensor
from torch.nn.functional import adaptive_avg_pool3d, interpolate

from ..atomic import save_atomically
from ..distributed import rank
from ..progress import with_progress
from ..transforms.foreground import inside_body

__all__ = ["write_baselines"]

GRID = (48, 48, 48)  # voxels of the box in which the mean image is
BINS = 64  # between quantiles of the source
DRAWN = 50_000  # voxels of a scan, all over its body, of which the regression is


def write_baselines(scans: Sequence[Mapping], path: str | os.PathLike) -> None:
    """Fit `TranslationBaselines` to prepared training scans, and write them; the first process alone does.

    Args:
        scans: items with `image`, `target` and `covered` (where the target is known), [1, X, Y, Z], cut to the
            body's box.
        path: of the file.
    """
    if rank() > 0:
        return
    total, number, sources, targets = torch.zeros(GRID), torch.zeros(GRID), [], []
    for scan in with_progress((scans[i] for i in range(len(scans))), "Baselines of scan", total=len(scans)):
        image, target, covered = (convert_to_tensor(scan[key], torch.float32) for key in ("image", "target", "covered"))
        total += _on_grid(target * covered)
        number += _on_grid(covered)
        body = (inside_body(image) & (covered[0] > 0)).flatten().nonzero()[:, 0]
        drawn = body[:: max(1, len(body) // DRAWN)]
        sources.append(image.flatten()[drawn])
        targets.append(target.flatten()[drawn])
    mean = torch.where(number > 0, total / number, total.sum() / number.sum())  # of all, where nobody's target is known
    save_atomically({"mean_image": mean, **_regression(torch.cat(sources), torch.cat(targets))}, path)


def _on_grid(image: torch.Tensor) -> torch.Tensor:
    """The means of an image [1, X, Y, Z] round each place of the grid; finer before, so that each is of some voxels."""
    size = [max(pair) for pair in zip(image.shape[1:], GRID, strict=True)]
    return adaptive_avg_pool3d(interpolate(image[None], size, mode="trilinear")[0], GRID)[0]


def _regression(source: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
    """Edges and means of bins of N voxels; a bin without any has the mean of all."""
    ordered = source.sort().values
    edges = ordered[(torch.arange(1, BINS) * len(ordered)) // BINS]
    place = torch.bucketize(source, edges)
    counts = torch.bincount(place, minlength=BINS)
    sums = torch.bincount(place, target.double(), BINS)
    return {
        "edges": edges,
        "means": torch.where(counts > 0, sums / counts.clamp(min=1), target.double().mean()).float(),
    }
