"""Exemplar: a crop that was changed is nearer to what it was made of than to what others were made of."""

import logging

import torch
from torch import nn
from torch.nn.functional import margin_ranking_loss, normalize

from ..distributed import as_in_first, gather
from ..errors import require_one_of, require_positive
from .views import gather_views

__all__ = ["NEGATIVES", "ExemplarLoss", "candidates", "exemplar_loss", "nearest_candidate"]

logger = logging.getLogger(__name__)

NEGATIVES = ("all", "hardest")


def candidates(subject: torch.Tensor) -> torch.Tensor:
    """Which originals an augmented crop is to be farther from than from its own, [N, N]: those of other subjects.

    Two crops of a subject may show the same tissue, and are told apart only where a step has no other subject.

    Args:
        subject: number of the subject of each crop, [N].

    Example:
        >>> candidates(torch.tensor([3, 3, 7]))
        tensor([[False, False,  True],
                [False, False,  True],
                [ True,  True, False]])
    """
    other = subject[:, None] != subject
    return other if other.any() else ~torch.eye(len(subject), dtype=torch.bool, device=subject.device)


def nearest_candidate(distance: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
    """The candidate nearest to each augmented crop is its one negative, [N, N]."""
    nearest = distance.masked_fill(~candidates, torch.inf).argmin(1, keepdim=True)
    return torch.zeros_like(candidates).scatter(1, nearest, True)


def squared_distance(augmented: torch.Tensor, original: torch.Tensor) -> torch.Tensor:
    """Squared Euclidean distance of each augmented crop from each original, [N, N], between unit vectors: 0 to 4."""
    with torch.autocast(augmented.device.type, enabled=False):
        first, second = (
            normalize(view if view.dtype == torch.float64 else view.float(), eps=1e-8) for view in (augmented, original)
        )
        return 2 - 2 * first @ second.T


def exemplar_loss(distance: torch.Tensor, negatives: torch.Tensor, margin: float = 1.0) -> torch.Tensor:
    r"""Mean over all triplets of $\max(0, d(a, p) - d(a, n) + m)$: augmented crop, its original, another original.

    Source: Taleb et al., "3D Self-Supervised Methods for Medical Imaging", NeurIPS 2020, section 3.5.

    Args:
        distance: d of each augmented crop from each original, its own on the diagonal, [N, N].
        negatives: which originals are n of which augmented crop, [N, N].
        margin: m, which a negative is to be farther away than a crop's own original.

    Returns:
        Scalar; the margin itself where all are equally far, as all are of an encoder that has collapsed.

    Example:
        >>> exemplar_loss(torch.tensor([[0.0, 2.0], [0.5, 0.5]]), ~torch.eye(2, dtype=torch.bool), margin=1.0)
        tensor(0.5000)
    """
    own = distance.diagonal()[:, None].expand_as(distance)[negatives]
    return margin_ranking_loss(distance[negatives], own, torch.ones_like(own), margin=margin)


class ExemplarLoss(nn.Module):
    """`exemplar_loss` over the crops of all processes.

    One head is behind the encoder for all three of a triplet. Were there one for each, as in the public code of the
    paper, each could say its own constant, and no crop would have to be looked at.

    Args:
        margin: in units of the squared distance between unit vectors: opposite ones are 4 apart, orthogonal ones 2.
        negatives: `all` originals of other subjects in the step, which is what a random one costs on average, or the
            `hardest`, which is the nearest of them.
        head: from the encoder's embeddings to what is compared. It is applied to the crops of all processes in each of
            them, so that its gradient needs no reduction.

    Raises:
        InputError: unknown negatives, or a margin that is no positive number.
    """

    def __init__(self, margin: float = 1.0, negatives: str = "all", head: nn.Module | None = None) -> None:
        super().__init__()
        require_one_of("negatives", negatives, NEGATIVES)
        require_positive("margin", margin)
        self.margin, self.negatives = margin, negatives
        self.head = as_in_first(head or nn.Identity())
        self._told = False

    def forward(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of the embeddings [2 B, D] of augmented crops and then originals; the target has `subject_number` [B].

        Raises:
            InputError: the step has a single crop.
        """
        distance, negatives = self._distance(embedding), self._candidates(target)
        if self.negatives == "hardest":
            negatives = nearest_candidate(distance, negatives)
        return exemplar_loss(distance, negatives, self.margin)

    @torch.no_grad()
    def correct(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Which augmented crops, [N] of all processes, are nearer to their own original than to all candidates."""
        distance = self._distance(embedding)
        return distance.diagonal() < distance.masked_fill(~self._candidates(target), torch.inf).amin(1)

    def chance(self, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """How often a guess among the candidates and a crop's own original is right, [N]."""
        return 1 / (1 + self._candidates(target).sum(1))

    def _distance(self, embedding: torch.Tensor) -> torch.Tensor:
        with torch.autocast(embedding.device.type, enabled=False):
            views = gather_views(embedding if embedding.dtype == torch.float64 else embedding.float())
            return squared_distance(*map(self.head, views))

    def _candidates(self, target: dict[str, torch.Tensor]) -> torch.Tensor:
        subject = gather(target["subject_number"])
        if not self._told and bool((subject == subject[0]).all()):
            self._told = True
            logger.warning(
                "A step has crops of one subject alone, which are told from each other, though they may show the same "
                "tissue (said for the first one only): a larger batch_size, val_size or test_size makes that rarer."
            )
        return candidates(subject)
