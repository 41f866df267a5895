"""What an embedding knows of the place: a ridge probe, principal components, and the rank that it uses."""

import os
import zlib

import numpy as np
import torch
from torch import nn

from .atomic import savez_atomically
from .errors import InputError

__all__ = ["PrincipalComponents", "RidgeProbe", "fingerprint", "r2_score", "rankme"]

PENALTIES = tuple(10.0**exponent for exponent in range(-4, 5))


class RidgeProbe:
    """Ridge regression from standardised features; the penalty is the best of `PENALTIES` on validation data.

    Args:
        features: training features, [N, D].
        targets: [N, T].
        val_features: [M, D].
        val_targets: [M, T].
    """

    def __init__(self, features, targets, val_features, val_targets) -> None:
        features, targets = features.double(), targets.double()
        self.mean, self.scale = features.mean(0), features.std(0).clamp(min=1e-12)
        self.target_mean = targets.mean(0)
        # one decomposition serves all penalties
        u, s, v = torch.linalg.svd(self._standardise(features), full_matrices=False)
        projected = u.T @ (targets - self.target_mean)
        self.penalty, self.weights, best = None, None, float("inf")
        for penalty in PENALTIES:
            weights = v.T @ (projected * (s / (s**2 + penalty * len(features)))[:, None])
            error = self._predict(val_features, weights).sub(val_targets).norm(dim=1).mean()
            if error < best:
                self.penalty, self.weights, best = penalty, weights, error

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Predict targets [M, T], float64, from features [M, D]."""
        return self._predict(features, self.weights)

    def _standardise(self, features: torch.Tensor) -> torch.Tensor:
        return (features.double() - self.mean) / self.scale

    def _predict(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return self._standardise(features) @ weights + self.target_mean


class PrincipalComponents:
    """The directions in which embeddings vary most.

    Args:
        embedding: [N, D].
        components: how many directions.
        encoder: `fingerprint` of the network that the embeddings are from.

    Attributes:
        mean: [D]; directions: [components, D]; low, high: percentiles 2 and 98 of the scores, [components]; encoder.
    """

    def __init__(self, embedding: torch.Tensor, components: int = 3, encoder: int = 0) -> None:
        embedding = embedding.double()
        self.encoder = torch.tensor(encoder)
        self.mean = embedding.mean(0)
        centred = embedding - self.mean
        # eigenvalues rise; of D x D, so that many crops need no more memory than they have themselves
        directions = torch.linalg.eigh(centred.T @ centred).eigenvectors.T.flip(0)[:components]
        # a sign has no meaning; this choice makes it the same each time
        largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
        self.directions = directions * largest.sign()
        scores = self(embedding)
        self.low, self.high = scores.quantile(0.02, 0), scores.quantile(0.98, 0)

    def __call__(self, embedding: torch.Tensor) -> torch.Tensor:
        """Scores [M, components], float64, of embeddings [M, D]."""
        return (embedding.double() - self.mean) @ self.directions.T

    def unit_range(self, embedding: torch.Tensor) -> torch.Tensor:
        """Scores clipped to [0, 1], from the 2nd to the 98th percentile of the fitted embeddings: for colours."""
        return ((self(embedding) - self.low) / (self.high - self.low).clamp(min=1e-12)).clamp(0, 1)

    def save(self, path: str | os.PathLike) -> None:
        """Write to an .npz file."""
        savez_atomically(path, **{name: value.numpy() for name, value in vars(self).items()})

    @classmethod
    def load(cls, path: str | os.PathLike) -> "PrincipalComponents":
        """Read what `save` wrote; an `InputError` says so if the file is something else."""
        basis = cls.__new__(cls)
        try:
            with np.load(path) as stored:
                names = ("encoder", "mean", "directions", "low", "high")
                vars(basis).update({name: torch.from_numpy(stored[name]) for name in names})
        except Exception as error:  # NumPy raises many kinds
            raise InputError(
                f"{path} holds no principal components: give basis the basis.npz of an evaluation."
            ) from error
        return basis


def fingerprint(network: nn.Module) -> int:
    """Checksum of a network's weights, the same in float16 as in float32."""
    checksum = 0
    for tensor in network.state_dict().values():
        checksum = zlib.crc32(tensor.half().cpu().numpy().tobytes(), checksum)
    return checksum


def r2_score(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Coefficient of determination of each column: 1 - residual / total sum of squares, [T] from [N, T] and [N, T]."""
    target = target.double()
    return 1 - (prediction - target).pow(2).sum(0) / (target - target.mean(0)).pow(2).sum(0)


def rankme(embedding: torch.Tensor, epsilon: float = 1e-7) -> float:
    r"""Effective rank $\exp(-\sum_k p_k \log p_k)$ with $p_k = \sigma_k / \lVert\sigma\rVert_1 + \epsilon$.

    Source: Garrido et al., "RankMe", ICML 2023, equations 1 and 2.

    Args:
        embedding: [N, D]; not changed, and may be of any rank.
        epsilon: keeps the logarithm finite.

    Returns:
        From 1 (one direction) to min(N, D); nan for embeddings that are not finite.
    """
    if not embedding.isfinite().all():
        return float("nan")
    singular = torch.linalg.svdvals(embedding.double())
    share = singular / singular.sum().clamp(min=torch.finfo(torch.float64).tiny) + epsilon
    return float(torch.exp(-(share * share.log()).sum()))
