"""How far a segmentation agrees with a label map, class by class."""

from collections.abc import Iterable, Sequence

import torch
from monai.metrics import compute_average_surface_distance, compute_dice

__all__ = ["class_dice", "class_surface_distance", "mean_class_dice"]


def class_dice(found: torch.Tensor, label: torch.Tensor, number: int) -> float:
    """Dice coefficient of one class, 2 |A and B| / (|A| + |B|); nan where the label map does not have it.

    Args:
        found, label: numbers of classes, [X, Y, Z].
        number: of the class.

    Example:
        >>> found, label = torch.tensor([[[1, 1, 0, 2]]]), torch.tensor([[[1, 1, 1, 0]]])
        >>> class_dice(found, label, 1), class_dice(found, label, 2)
        (0.800000011920929, nan)
    """
    return float(compute_dice(*_as_batch(found, label, number), ignore_empty=True))


def mean_class_dice(found: torch.Tensor, label: torch.Tensor, numbers: Iterable[int]) -> float:
    """Mean Dice coefficient of those classes that the label map has; nan where it has none.

    Args:
        found, label: numbers of classes, [X, Y, Z].
        numbers: of the classes.
    """
    return float(torch.tensor([class_dice(found, label, number) for number in numbers]).nanmean())


def class_surface_distance(found: torch.Tensor, label: torch.Tensor, number: int, spacing: Sequence[float]) -> float:
    """Mean distance in mm from the surface of one class to that of the other, both ways; nan where either lacks it.

    It needs scipy, where there is no GPU.

    Args:
        found, label: numbers of classes, [X, Y, Z].
        number: of the class.
        spacing: of their grid, mm.
    """
    pair = _as_batch(found, label, number)
    if not all(one.any() for one in pair):
        return float("nan")
    return float(compute_average_surface_distance(*pair, include_background=True, symmetric=True, spacing=spacing))


def _as_batch(found: torch.Tensor, label: torch.Tensor, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each is of the class, [1, 1, X, Y, Z]; one class at a time, since all of them would be a large tensor."""
    return (found == number)[None, None], (label == number)[None, None]
