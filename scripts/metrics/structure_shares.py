"""How well the shares of structures in crops are predicted."""

from collections.abc import Sequence

import numpy as np
import torch

from .subject_bootstrap import SubjectBootstrap

__all__ = ["structure_error", "structure_r2"]


def structure_r2(draws: SubjectBootstrap, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """R² of shares: of each structure 1 - residual / total sum of squares over the crops, and the mean over structures.

    A structure whose share is the same in all crops of a draw does not count in it.

    Args:
        draws: of the subjects of N crops, R.
        prediction: [N, S].
        target: [N, S].

    Returns:
        Of each draw, [R].

    Example:
        >>> shares = torch.tensor([[0.0, 0.5], [0.25, 0.25], [0.5, 0.0]]).double()
        >>> draws = SubjectBootstrap(["A", "A", "B"], repeats=0)
        >>> structure_r2(draws, shares, shares), structure_r2(draws, shares.mean(0).expand(3, 2), shares)
        (tensor([1.], dtype=torch.float64), tensor([0.], dtype=torch.float64))
    """
    missed, centred = (prediction - target).double(), target.double() - target.double().mean(0)
    residual, mean, square = draws.crop_means(torch.cat([missed**2, centred, centred**2], 1)).chunk(3, 1)
    total = square - mean**2
    return (1 - residual / total).where(total > 1e-12, torch.nan).nanmean(1)


def structure_error(prediction: torch.Tensor, target: torch.Tensor, subjects: Sequence | np.ndarray) -> np.ndarray:
    """Mean squared error of each subject, in units of the variance of each structure's share, mean over structures.

    Args:
        prediction: of N crops, [N, S].
        target: [N, S]; a structure whose share is the same in all crops does not count.
        subjects: of each crop, [N].

    Returns:
        [subjects], in the order of `numpy.unique`.
    """
    variance = target.double().var(0, correction=0)
    varies = variance > 1e-12
    squares = ((prediction - target).double() ** 2 / variance)[:, varies].mean(1).numpy()
    names, index = np.unique(np.asarray(subjects), return_inverse=True)
    return np.bincount(index, squares, len(names)) / np.bincount(index, minlength=len(names))
