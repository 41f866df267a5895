"""Features whose ridge regression is that with a Gaussian kernel."""

import torch

__all__ = ["GaussianKernel"]

SMALLEST = 1e-10  # of the largest eigenvalue


class GaussianKernel:
    """Features whose inner products are exp(-|x - y|² / 2) of points x and y, as exactly as some centres allow.

    Where these are all training points, nothing is lost for these.

    Source: Williams, Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NeurIPS 2000.

    Args:
        points: training points, [N, K], in units of the kernel's width.
        most: centres, at most: evenly among the points.
    """

    def __init__(self, points: torch.Tensor, most: int = 1000) -> None:
        chosen = torch.linspace(0, len(points) - 1, min(len(points), most)).round().long()
        self.centres = points[chosen].double()
        values, vectors = torch.linalg.eigh(_kernel(self.centres, self.centres))
        kept = values > SMALLEST * values[-1]
        self.whiten = vectors[:, kept] / values[kept].sqrt()

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Features [M, D], float64, of points [M, K]."""
        return _kernel(points.double(), self.centres) @ self.whiten


def _kernel(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return (-torch.cdist(first, second).square() / 2).exp()
