"""Contrastive predictive coding: a prediction is to find its patch among all patches that a step predicts."""

from math import prod

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from ..distributed import as_in_first, gather
from ..errors import require_positive
from ..networks.cpc_head import CPCHead

__all__ = ["CPCLoss", "found", "info_nce_loss"]


def info_nce_loss(predicted: torch.Tensor, codes: torch.Tensor, temperature: float = 0.1) -> torch.Tensor:
    r"""Mean over P predictions of $-\log \frac{\exp(s_{ii} / T)}{\sum_j \exp(s_{ij} / T)}$.

    s is the cosine similarity of a prediction and a code. No tensor is larger than P x P.

    Source: van den Oord et al., "Representation Learning with Contrastive Predictive Coding", arXiv 1807.03748,
    equation 4, with the cosine in place of a product whose size is free.

    Args:
        predicted: [P, D].
        codes: what they are of, in the same order, [P, D].
        temperature: T.

    Returns:
        Scalar, float32 also under autocast (float64 for float64 codes).

    Example:
        >>> info_nce_loss(torch.ones(8, 4), torch.ones(8, 4))  # all alike: one guess of eight, log 8
        tensor(2.0794)
    """
    with torch.autocast(predicted.device.type, enabled=False):
        logits = _similarity(predicted, codes) / temperature
        return cross_entropy(logits, torch.arange(len(codes), device=codes.device))


def found(predicted: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Whether the code of each prediction [P, D] is more similar to it than all others of [P, D], [P].

    One that is as similar is none that is told apart: where patches are alike, such as air, none of them is found.
    """
    with torch.autocast(predicted.device.type, enabled=False):
        similarity = _similarity(predicted, codes)
        right = similarity.diagonal().clone()
        return right > similarity.fill_diagonal_(-torch.inf).amax(1)


def _similarity(predicted: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    one, other = (normalize(x if x.dtype == torch.float64 else x.float(), eps=1e-8) for x in (predicted, codes))
    return one @ other.T


class CPCLoss(nn.Module):
    """`info_nce_loss` over the patches of all processes.

    A prediction's candidates are all patches that are predicted in a step in its direction: of its own scan and of all
    others, at all places.

    Args:
        head: predictions and their codes from embeddings. It is applied to the patches of all processes in each of
            them, so that its gradient needs no reduction.
        temperature: T.

    Raises:
        InputError: a temperature that is no positive number.
    """

    def __init__(self, head: CPCHead, temperature: float = 0.1) -> None:
        super().__init__()
        require_positive("temperature", temperature)
        self.head, self.temperature = as_in_first(head), temperature

    def forward(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Mean loss over directions of the embeddings [R X Y Z, E] of R grids of patches, in order."""
        losses = [info_nce_loss(*pairs, self.temperature) for pairs in self._pairs(embedding)]
        return torch.stack(losses).mean()

    @torch.no_grad()
    def correct(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Whether each prediction of all processes ranks its patch first, alone, [predictions], grid after grid."""
        grids = len(gather(target["scan"])) // prod(self.head.cells)
        return torch.cat([found(*pairs).view(grids, -1) for pairs in self._pairs(embedding)], 1).flatten()

    def chance(self, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """What a guess reaches: one of the candidates, [predictions]."""
        scan = gather(target["scan"])
        candidates = self.head.predictions(len(scan))
        return torch.full((candidates * len(self.head.predictors),), 1 / candidates, device=scan.device)

    def _pairs(self, embedding: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        with torch.autocast(embedding.device.type, enabled=False):
            return self.head(gather(embedding if embedding.dtype == torch.float64 else embedding.float()))
