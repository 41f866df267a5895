"""Where in a scan a crop of another one belongs, from embeddings alone."""

import torch

from ..probes.standardise import Standardise

__all__ = ["PlaceRegression"]

PENALTY = 0.01  # a feature; from 1e-4 to 1e-1, errors differ by 3 %


class PlaceRegression:
    """Ridge regression from a scan's own windows to their places.

    It needs no label and no other scan. The windows' places are known, and where bodies are alike, so are the
    embeddings of crops that lie in the same place of each.

    Args:
        embeddings: of N windows of the scan, [N, D].
        places: of their centres, [N, 3].
    """

    def __init__(self, embeddings: torch.Tensor, places: torch.Tensor) -> None:
        self.mean, self.standardise = places.double().mean(0), _standardised(embeddings)
        windows, centred = self.standardise(embeddings), places.double() - self.mean
        few = min((windows, windows.T), key=len)  # as few equations as there are windows, or features
        squares = few @ few.T
        squares.diagonal().add_(PENALTY * embeddings.shape[1])
        factor = torch.linalg.cholesky(squares)
        self.weights = (
            windows.T @ torch.cholesky_solve(centred, factor)
            if few is windows
            else torch.cholesky_solve(windows.T @ centred, factor)
        )

    def __call__(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Places [..., 3], float64, of crops with embeddings [..., D]."""
        return self.standardise(embeddings) @ self.weights + self.mean


def _standardised(embeddings: torch.Tensor) -> Standardise:
    # a scan of one window has no spread
    return Standardise(embeddings if len(embeddings) > 1 else embeddings.repeat(2, 1))
