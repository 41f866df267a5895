"""Ridge regression whose penalty is chosen without any more labels: each subject is predicted from the others."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from .thin_svd import thin_svd

__all__ = ["SubjectRidge"]

PENALTIES = tuple(10.0**exponent for exponent in range(-8, 5))  # small ones for smooth kernels


class SubjectRidge:
    """Ridge regression from features as they are; the penalty is the best of `PENALTIES` for left-out subjects.

    What each subject's crops would be predicted as by a fit to all other subjects follows from one fit to all, with the
    same penalty: with H the matrix that makes predictions of targets, their error is (I - H_ss)^-1 (y - H y)_s.

    Source: Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning" (2009), section 7.10, for one crop.

    Args:
        features: training features, [N, D].
        subjects: of each crop, [N]; two at least.

    Attributes:
        penalty: that was chosen, of the last targets.
        error: mean squared error for left-out subjects, in units of the targets' variance, with this penalty.
    """

    def __init__(self, features: torch.Tensor, subjects: Sequence | np.ndarray) -> None:
        features = features.double()
        self.mean = features.mean(0)
        self.u, self.s, self.v = thin_svd(features - self.mean)
        names = np.asarray(subjects)
        self.rows = [torch.from_numpy(np.flatnonzero(names == name)) for name in np.unique(names)]

    def fit(self, targets: torch.Tensor) -> "SubjectRidge":
        """Fit it to targets [N, T], all of which count alike, whatever their unit; it is returned."""
        targets = targets.double()
        self.target_mean = targets.mean(0)
        centred = targets - self.target_mean
        self.projected = self.u.T @ centred
        unit = centred.std(0)
        errors = {penalty: self._left_out(centred, unit.where(unit > 0, 1.0), penalty) for penalty in PENALTIES}
        self.penalty, self.error = min(errors.items(), key=lambda item: item[1])
        self.weights = self.v.T @ (self.projected * (self._shrinkage(self.penalty) / self.s)[:, None])
        return self

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Predict targets [M, T], float64, from features [M, D]."""
        return (features.double() - self.mean) @ self.weights + self.target_mean

    def _shrinkage(self, penalty: float) -> torch.Tensor:
        return self.s**2 / (self.s**2 + penalty * len(self.u))

    def _left_out(self, centred: torch.Tensor, unit: torch.Tensor, penalty: float) -> float:
        """Mean squared error for subjects that are left out of the fit, in units of the targets' deviation."""
        return float(torch.cat(list(self._errors(centred / unit, unit, penalty))).square().mean())

    def _errors(self, scaled: torch.Tensor, unit: torch.Tensor, penalty: float) -> Iterator[torch.Tensor]:
        by = self._shrinkage(penalty)
        residual = scaled - self.u @ (self.projected / unit * by[:, None])
        for rows in self.rows:
            u = self.u[rows]
            influence = (u * by) @ u.T + 1 / len(self.u)  # the last is the mean's
            yield torch.linalg.solve(torch.eye(len(rows)).double() - influence, residual[rows])
