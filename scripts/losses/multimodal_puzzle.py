"""The multimodal puzzle: patches are put back to where they are from, by a soft permutation of them."""

import logging
from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from monai.utils import optional_import
from torch import nn

from ..errors import require_positive
from .shared_head import SharedHeadLoss
from .sinkhorn import gumbel_noise, log_sinkhorn

__all__ = ["MultimodalPuzzleLoss", "puzzle_loss"]

logger = logging.getLogger(__name__)

linear_sum_assignment, SCIPY = optional_import("scipy.optimize", name="linear_sum_assignment")


def puzzle_loss(soft: torch.Tensor, distances: torch.Tensor, cell: torch.Tensor, empty: torch.Tensor) -> torch.Tensor:
    r"""What the patches that a soft permutation S puts together differ by from those that belong there.

    The paper's $\lVert P^* - S^T P \rVert^2$, divided by the number of cells, with a patch's voxels in the mean instead
    of the sum. As the columns of S sum to 1, it is known without the patches themselves, of which the loss for place j,
    with patch t there, is $\sum_i S_{ij} d_{it} - \frac{1}{2} \sum_{ik} S_{ij} S_{kj} d_{ik}$.

    Source: Taleb et al., "Multimodal Self-Supervised Learning for Medical Image Analysis", arXiv 1912.05396.

    Args:
        soft: S, [R, N, N], of patch i in place j of each of R regions.
        distances: d, mean square of what two patches of a region differ by, voxel by voxel, [R, N, N].
        cell: the place of each patch, [R, N].
        empty: patches that look like others, whose places do not count, [R, N], bool.

    Returns:
        Mean over the regions, a scalar.
    """
    truth = cell.argsort(1)  # of each place, the patch that belongs there
    to_truth = distances.gather(2, truth[:, None].expand_as(distances))
    between = (soft * (distances @ soft)).sum(1)
    asked = ~empty.gather(1, truth)
    return (((soft * to_truth).sum(1) - between / 2) * asked).mean()


class MultimodalPuzzleLoss(SharedHeadLoss):
    """`puzzle_loss` of the soft permutation of a head's scores, where a patch's embedding scores each place.

    An item is a region; which share of its patches is put in their places, after the best assignment of all of them, is
    how right it is answered. Empty patches are told apart by nobody. They are neither asked about nor taken for others:
    the puzzle is of the rest, and of the places of these. Each process asks about its own regions.

    Args:
        head: from the embeddings of patches, [patches, D], to a score for each place.
        cells: of a region, along each axis.
        temperature: what scores are divided by.
        iterations: of `log_sinkhorn`.
        noise: what Gumbel noise on scores is multiplied by in training; 0: there is none.

    Raises:
        InputError: a temperature that is no positive number.
    """

    def __init__(
        self,
        head: nn.Module,
        cells: Sequence[int] = (3, 3, 3),
        temperature: float = 1.0,
        iterations: int = 20,
        noise: float = 0.0,
    ) -> None:
        super().__init__(head)
        require_positive("temperature", temperature)
        self.cells, self.temperature, self.iterations, self.noise = prod(cells), temperature, iterations, noise
        if not SCIPY:
            logger.warning("How many patches are put right is told by scipy alone: pip install scipy")

    def forward(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Loss of the embeddings [R N, D], the patches of a region one after the other; float32 also under autocast.

        Of the target, `cell` [R N] is where a patch belongs, `distances` [R N, N] are its own to the patches of its
        region, in their order, and `empty` [R N] says whether it is.

        Raises:
            InputError: a step has one item, and the head normalises over the items of a step.
        """
        with torch.autocast(embedding.device.type, enabled=False):
            scores = self._regions(self.answers(embedding.float()))
            if self.training and self.noise:
                scores = scores + self.noise * gumbel_noise(scores)
            cell, empty, distances = (self._regions(target[key]) for key in ("cell", "empty", "distances"))
            scores = _apart(scores / self.temperature, cell, empty)
            return puzzle_loss(log_sinkhorn(scores, self.iterations).exp(), distances.float(), cell, empty)

    @torch.no_grad()
    def correct(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Share of each region's patches that the assignment with the highest sum of scores puts right, [R].

        It is 1 where there is nothing to tell, and nan where scipy is not installed.
        """
        scores = self._regions(self.head(embedding.float()))
        cell, empty = (self._regions(target[key]) for key in ("cell", "empty"))
        return torch.tensor([_share_right(*region) for region in zip(scores, cell, ~empty, strict=True)])

    def chance(self, target: dict[str, Any]) -> torch.Tensor:
        """One of the patches that are not empty, [R]."""
        return 1 / (~self._regions(target["empty"])).sum(1).clamp(min=1)

    def _regions(self, values: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(values).unflatten(0, (-1, self.cells))


def _apart(scores: torch.Tensor, cell: torch.Tensor, empty: torch.Tensor) -> torch.Tensor:
    """Scores [R, N, N] by which empty patches share their own places, and others have the rest."""
    there = empty.gather(1, cell.argsort(1))
    return scores.masked_fill(empty[:, :, None] & there[:, None], 0).masked_fill(
        empty[:, :, None] ^ there[:, None], -torch.inf
    )


def _share_right(scores: torch.Tensor, cell: torch.Tensor, asked: torch.Tensor) -> float:
    """Of one region's patches that are asked about: scores [N, N], places [N]."""
    if not SCIPY:
        return float("nan")
    belongs, places = cell[asked], cell[asked].sort().values
    if not len(places):
        return 1.0
    patch, place = linear_sum_assignment(scores[asked][:, places].cpu().numpy(), maximize=True)
    return float((places[place] == belongs[patch]).float().mean())
