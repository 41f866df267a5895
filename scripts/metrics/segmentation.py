"""How far a segmentation agrees with a label map, region by region: of one class, or of several."""

from collections.abc import Iterable, Sequence
from functools import reduce

import torch
from monai.metrics import compute_average_surface_distance, compute_dice

__all__ = ["is_in_region", "mean_region_dice", "region_dice", "region_surface_distance"]


def is_in_region(numbers: torch.Tensor, region: Sequence[int]) -> torch.Tensor:
    """Whether each number is that of one of a region's classes; several times as fast as isin where it has few."""
    return reduce(torch.logical_or, (numbers == one for one in region))


def region_dice(found: torch.Tensor, label: torch.Tensor, region: Sequence[int]) -> float:
    """Dice coefficient of one region, 2 |A and B| / (|A| + |B|); nan where the label map does not have it.

    Args:
        found, label: numbers of classes, [X, Y, Z].
        region: numbers of its classes.

    Example:
        >>> found, label = torch.tensor([[[1, 1, 0, 2]]]), torch.tensor([[[1, 1, 1, 0]]])
        >>> region_dice(found, label, [1]), region_dice(found, label, [2]), region_dice(found, label, [1, 2])
        (0.800000011920929, nan, 0.6666666865348816)
    """
    return float(compute_dice(*_as_batch(found, label, region), ignore_empty=True))


def mean_region_dice(found: torch.Tensor, label: torch.Tensor, regions: Iterable[Sequence[int]]) -> float:
    """Mean Dice coefficient of those regions that the label map has; nan where it has none.

    Args:
        found, label: numbers of classes, [X, Y, Z].
        regions: numbers of the classes of each.
    """
    return float(torch.tensor([region_dice(found, label, region) for region in regions]).nanmean())


def region_surface_distance(
    found: torch.Tensor, label: torch.Tensor, region: Sequence[int], spacing: Sequence[float]
) -> float:
    """Mean distance in mm from the surface of one region to that of the other, both ways; nan where either lacks it.

    It needs scipy, where there is no GPU.

    Args:
        found, label: numbers of classes, [X, Y, Z].
        region: numbers of its classes.
        spacing: of their grid, mm.
    """
    pair = _as_batch(found, label, region)
    if not all(one.any() for one in pair):
        return float("nan")
    return float(compute_average_surface_distance(*pair, include_background=True, symmetric=True, spacing=spacing))


def _as_batch(found: torch.Tensor, label: torch.Tensor, region: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each is in the region, [1, 1, X, Y, Z]; one at a time, since all of them would be a large tensor."""
    return is_in_region(found, region)[None, None], is_in_region(label, region)[None, None]
