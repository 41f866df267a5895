"""How well the shares of structures in crops are predicted."""

from collections.abc import Sequence

import numpy as np
import torch

from .subject_bootstrap import SubjectBootstrap

__all__ = ["structure_error", "structure_r2"]

ROUNDING = 1e-12  # of the mean square


def structure_r2(draws: SubjectBootstrap, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """R² of shares: 1 - residual / total sum of squares over the crops and all structures together.

    A mean over the R² of each structure would be that of the rarest one, where test crops hold next to nothing of it.

    Args:
        draws: of the subjects of N crops, R.
        prediction: [N, S], of each structure in units of its deviation in training, so that all count alike.
        target: [N, S], likewise.

    Returns:
        Of each draw, [R]; nan where its crops do not differ.

    Example:
        >>> shares = torch.tensor([[0.0, 0.5], [0.25, 0.25], [0.5, 0.0]]).double()
        >>> draws = SubjectBootstrap(["A", "A", "B"], repeats=0)
        >>> structure_r2(draws, shares, shares), structure_r2(draws, shares.mean(0).expand(3, 2), shares)
        (tensor([1.], dtype=torch.float64), tensor([0.], dtype=torch.float64))
    """
    missed, centred = (prediction - target).double(), target.double() - target.double().mean(0)
    residual, mean, square = draws.crop_means(torch.cat([missed**2, centred, centred**2], 1)).chunk(3, 1)
    total = (square - mean**2).sum(1)
    return torch.where(total > ROUNDING * square.sum(1), 1 - residual.sum(1) / total, torch.nan)


def structure_error(prediction: torch.Tensor, target: torch.Tensor, subjects: Sequence | np.ndarray) -> np.ndarray:
    """Mean squared error of each subject, over its crops and all structures.

    Args:
        prediction: of N crops, [N, S], in units as for `structure_r2`.
        target: [N, S].
        subjects: of each crop, [N].

    Returns:
        [subjects], in the order of `numpy.unique`.
    """
    squares = (prediction - target).double().square().mean(1).numpy()
    names, index = np.unique(np.asarray(subjects), return_inverse=True)
    return np.bincount(index, squares, len(names)) / np.bincount(index, minlength=len(names))
