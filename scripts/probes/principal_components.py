"""The directions in which embeddings vary most."""

import os

import numpy as np
import torch

from ..atomic import savez_atomically
from ..errors import InputError

__all__ = ["PrincipalComponents"]


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
