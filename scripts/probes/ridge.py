"""What an embedding knows of the place: a ridge regression from its features."""

import torch

from .standardise import Standardise
from .thin_svd import thin_svd

__all__ = ["PENALTIES", "RidgeProbe"]

PENALTIES = tuple(10.0**exponent for exponent in range(-4, 5))


class RidgeProbe:
    """Ridge regression from standardised features; the penalty is the best of `PENALTIES` on validation data.

    Args:
        features: training features, [N, D].
        targets: [N, T].
        val_features: [M, D].
        val_targets: [M, T].
    """

    def __init__(
        self, features: torch.Tensor, targets: torch.Tensor, val_features: torch.Tensor, val_targets: torch.Tensor
    ) -> None:
        self.standardise, targets = Standardise(features), targets.double()
        standard = self.standardise(features)
        self.mean, self.target_mean = standard.mean(0), targets.mean(0)  # the first is 0 where nothing was clipped
        # one decomposition serves all penalties
        u, s, v = thin_svd(standard - self.mean)
        projected = u.T @ (targets - self.target_mean)
        shrunk = {penalty: (s / (s**2 + penalty * len(features)))[:, None] for penalty in PENALTIES}
        fits = [(penalty, v.T @ (projected * by)) for penalty, by in shrunk.items()]
        self.penalty, self.weights = min(fits, key=lambda fit: self._error(val_features, val_targets, fit[1]))

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Predict targets [M, T], float64, from features [M, D]."""
        return self._predict(features, self.weights)

    def _error(self, features: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> float:
        return float((self._predict(features, weights) - targets).norm(dim=1).mean())

    def _predict(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return (self.standardise(features) - self.mean) @ weights + self.target_mean
