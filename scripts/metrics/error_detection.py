"""Whether a map of uncertainty ranks wrong voxels first."""

import math
from typing import NamedTuple

import torch

from ..errors import InputError

__all__ = ["ErrorDetection", "error_detection"]


class ErrorDetection(NamedTuple):
    """How well uncertainty finds errors.

    Attributes:
        auroc: how often a wrong voxel is less certain than a right one, ties half; 0.5 by chance.
        average_precision: mean, over the wrong voxels, of the share of errors among those at least as uncertain; about
            the error rate by chance.
        error_rate: share of voxels that are wrong.
    """

    auroc: float
    average_precision: float
    error_rate: float


def error_detection(uncertainty: torch.Tensor, wrong: torch.Tensor) -> ErrorDetection:
    """Areas under the ROC and the precision-recall curve of finding wrong voxels by their uncertainty, exact with ties.

    The air of a whole scan, which is right and certain, brings any map near an AUROC of 1: compare maps of the same
    voxels, such as those near a structure, and never one scan's figure with another's.

    MONAI's `compute_roc_auc` and `compute_average_precision` are the same, in a loop of Python over the voxels. Here
    they are sorted once; beside the map, that takes 12 bytes a voxel.

    Args:
        uncertainty: of voxels, finite, any shape.
        wrong: whether the segmentation is wrong there, bool, the same shape.

    Returns:
        Areas are nan where nothing is wrong, the AUROC also where all is.

    Raises:
        InputError: an uncertainty is not finite.

    Example:
        >>> error_detection(torch.tensor([0.1, 0.4, 0.3, 0.9]), torch.tensor([False, False, True, True]))
        ErrorDetection(auroc=0.75, average_precision=0.8333333333333333, error_rate=0.5)
    """
    if not uncertainty.isfinite().all():
        raise InputError("The uncertainty is not finite in all voxels: look whether the network's outputs are.")
    voxels, errors = wrong.numel(), int(wrong.sum())
    if not errors:
        return ErrorDetection(math.nan, math.nan, 0.0)
    levels, wrong_there = uncertainty[wrong].unique(return_counts=True)
    ranked = uncertainty.flatten().sort().values
    at_least, above = (voxels - torch.searchsorted(ranked, levels, right=right) for right in (False, True))
    wrong_at_least = wrong_there.flip(0).cumsum(0).flip(0)
    precision = wrong_at_least / at_least.double()
    right_above, right_there = above - (wrong_at_least - wrong_there), at_least - above - wrong_there
    outranked = (wrong_there * (right_above + right_there.double() / 2)).sum()  # pairs in the wrong order
    pairs = errors * (voxels - errors)
    return ErrorDetection(
        auroc=1 - float(outranked) / pairs if pairs else math.nan,
        average_precision=float((wrong_there * precision).sum()) / errors,
        error_rate=errors / voxels,
    )
