"""Barlow Twins: two views of a crop agree in each feature of the embedding, and features do not repeat each other."""

import torch
from torch import nn

from ..errors import require_positive
from .views import gather_views

__all__ = ["BarlowTwinsLoss", "barlow_twins_loss", "cross_correlation"]

SMALLEST_VARIANCE = 1e-12  # below it a feature is constant, and correlates with nothing


def cross_correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Pearson correlation of each feature of one view with each of the other, [D, D] from two [N, D].

    Moments are over N, without Bessel's correction, as in batch normalisation: a feature that is the same in both views
    has a correlation of exactly 1, whatever N is. A constant feature has 0.

    Example:
        >>> view = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> cross_correlation(view, view), barlow_twins_loss(view, view)
        (tensor([[1., 0.],
                [0., 1.]]), tensor(0.))
    """
    return _normalise(first).T @ _normalise(second) / len(first)


def barlow_twins_loss(first: torch.Tensor, second: torch.Tensor, lambd: float = 0.0051) -> torch.Tensor:
    r"""$\frac{1}{D} \left[ \sum_i (C_{ii} - 1)^2 + \lambda \sum_{i \neq j} C_{ij}^2 \right]$.

    Source: Zbontar et al., "Barlow Twins", ICML 2021, equations 1 and 2; divided by D as in the code of ISImed
    (arXiv 2410.16947).

    Args:
        first: embeddings of the first views, [N, D].
        second: of the second views, [N, D].
        lambd: weight of the second sum, the redundancy between features.

    Returns:
        Scalar, float32 also under autocast (float64 for float64 embeddings).
    """
    with torch.autocast(first.device.type, enabled=False):
        first, second = (view if view.dtype == torch.float64 else view.float() for view in (first, second))
        correlation = cross_correlation(first, second)
        agreement = correlation.diagonal()
        redundancy = correlation.square().sum() - agreement.square().sum()
        return ((agreement - 1).square().sum() + lambd * redundancy) / len(correlation)


class BarlowTwinsLoss(nn.Module):
    """`barlow_twins_loss` over the crops of all processes.

    Args:
        lambd: weight of the redundancy between features.
        head: projection from the encoder's embeddings to those that are compared; none in ISImed's experiments. It is
            applied to the crops of all processes in each of them, so that its gradient needs no reduction.

    Raises:
        InputError: lambd is no number above 0.
    """

    def __init__(self, lambd: float = 0.0051, head: nn.Module | None = None) -> None:
        super().__init__()
        require_positive("lambd", lambd)
        self.lambd, self.head = lambd, head or nn.Identity()

    def forward(self, embedding: torch.Tensor, target: dict | None = None) -> torch.Tensor:
        """Loss of the embeddings [2 B, D] of first views and then second views; targets are not looked at."""
        first, second = map(self.head, gather_views(embedding))
        return barlow_twins_loss(first, second, self.lambd)


def _normalise(view: torch.Tensor) -> torch.Tensor:
    centred = view - view.mean(0)
    centred = centred - centred.mean(0)  # again: of a large mean, the rounding error is no feature
    return centred * centred.square().mean(0).clamp(min=SMALLEST_VARIANCE).rsqrt()
