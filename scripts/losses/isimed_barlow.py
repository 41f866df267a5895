"""ISImed and Barlow Twins together: embeddings that are a map of the body, and no view's own."""

import torch
from torch import nn

from ..errors import require_positive
from .barlow_twins import BarlowTwinsLoss
from .distance import DistanceLoss, distance_loss, gather_places
from .views import gather_views

__all__ = ["ISImedBarlowLoss", "TwoHeadLoss"]


class ISImedBarlowLoss(nn.Module):
    """Distance loss of the mean embedding of both views, plus `weight` times the Barlow Twins loss of the two.

    Source: Jabareen, Yuan, Lukassen, ISImed, arXiv 2410.16947.

    Args:
        weight: of the Barlow Twins loss against the distance loss in mm². Before training, about 7000 makes their
            values equal and 540 their gradients: the default lies between, so that neither is lost in the other.
        lambd: weight of the redundancy between features within the Barlow Twins loss.
        pairs: as for `DistanceLoss`.

    Raises:
        InputError: unknown pairs, or a weight that is no number above 0.
    """

    def __init__(self, weight: float = 2000, lambd: float = 0.0051, pairs: str = "all") -> None:
        super().__init__()
        require_positive("barlow_weight", weight)
        self.weight, self.distance, self.barlow = weight, DistanceLoss(pairs), BarlowTwinsLoss(lambd)

    def forward(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of the embeddings [2 B, D] of first views and then second views, against the places of their crops."""
        return self.distance_term(embedding, target) + self.weight * self.barlow_term(embedding, target)

    def distance_term(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """The distance loss, in mm²."""
        first, second = embedding.chunk(2)
        return self.distance((first + second) / 2, target)

    def barlow_term(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """The Barlow Twins loss, before it is weighted."""
        return self.barlow(embedding, target)


class TwoHeadLoss(ISImedBarlowLoss):
    """Either loss has a head of its own, so that neither shapes the embedding alone.

    The distance loss is the mean of those of the two views. Distances between the encoder's own embeddings are then not
    in mm. Heads are applied to the crops of all processes in each of them, so that their gradients need no reduction.

    Args:
        distance_head: from embeddings to those whose distances are compared with places.
        barlow_head: from embeddings to those whose views are correlated.
        weight, lambd, pairs: as for `ISImedBarlowLoss`; behind heads, 6000 and 240 make values and gradients equal.
    """

    def __init__(
        self,
        distance_head: nn.Module,
        barlow_head: nn.Module,
        weight: float = 1000,
        lambd: float = 0.0051,
        pairs: str = "all",
    ) -> None:
        super().__init__(weight, lambd, pairs)
        self.distance_head, self.barlow = distance_head, BarlowTwinsLoss(lambd, barlow_head)

    def distance_term(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """The distance loss behind its head, in mm², mean of the two views."""
        places = gather_places(target, self.distance.pairs)
        first, second = (distance_loss(self.distance_head(view), *places) for view in gather_views(embedding))
        return (first + second) / 2
