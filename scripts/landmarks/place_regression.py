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
        self.windows = self.standardise(embeddings)
        kernel = self.windows @ self.windows.T  # as many equations as windows, which are fewer than features
        kernel.diagonal().add_(PENALTY * embeddings.shape[1])
        self.weights = torch.linalg.solve(kernel, places.double() - self.mean)

    def __call__(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Places [..., 3], float64, of crops with embeddings [..., D]."""
        return self.standardise(embeddings) @ (self.windows.T @ self.weights) + self.mean


def _standardised(embeddings: torch.Tensor) -> Standardise:
    # a scan of one window has no spread
    return Standardise(embeddings if len(embeddings) > 1 else embeddings.repeat(2, 1))
