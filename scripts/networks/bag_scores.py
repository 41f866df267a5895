"""What the patches of an image say of it together: a score, and how much each of them has to do with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import adaptive_avg_pool3d, adaptive_max_pool3d, log_softmax, logsigmoid

from ..errors import InputError

__all__ = ["NOTHING", "POOLINGS", "Bag", "bag_of", "class_of", "in_patches", "log_scores", "share_of_patches"]

POOLINGS = ("interactive", "mean", "attention")

NOTHING = "none"  # what an image is said to be where no class has a score: of several, where nothing is attended to
LEAST = 1e-30  # of what is not attended, whose logarithm is taken


def log_scores(
    logits: torch.Tensor, seen: torch.Tensor, pooling: str = "interactive", min_attention: float = 0.005
) -> torch.Tensor:
    """Logarithms of the scores of bags.

    `interactive` is EMIL's, y = sum_k a_k y_k / max(sum_k a_k, K_min) of local probabilities y_k and attentions a_k. Of
    two classes, the second has this score and the first what is left to 1; of more, each has its own, and what is not
    attended is missing. `mean` is a linear classifier of the patches' mean. `attention` is one of their mean weighted
    with the softmax of attention (Ilse et al., arXiv 1802.04712, equations 8 and 9).

    Args:
        logits: of `InteractiveMIL`, [B, L + 1, X, Y, Z].
        seen: which patches count, [B, X, Y, Z], bool; one at least of each bag.
        pooling: one of `POOLINGS`.
        min_attention: K_min, as a share of the patches that count.

    Returns:
        [B, C] of C classes, float32.
    """
    local, attention, counts = logits[:, :-1].float().flatten(2), logits[:, -1].float().flatten(1), seen.flatten(1)
    if pooling == "interactive":
        return _interactive(local, logsigmoid(attention).masked_fill(~counts, -torch.inf), min_attention)
    return _log_classes((local * _weights(attention, counts, pooling)[:, None]).sum(2, keepdim=True))[..., 0]


def _interactive(local: torch.Tensor, attention: torch.Tensor, min_attention: float) -> torch.Tensor:
    """Of logits [B, L, K] and logarithms of attention [B, K], -inf of patches that do not count."""
    least = min_attention * attention.isfinite().sum(1, keepdim=True)
    total = attention.logsumexp(1, keepdim=True)
    attended = (_log_classes(local) + attention[:, None]).logsumexp(2)
    if local.shape[1] == 1:
        left = (least - total.exp()).clamp(min=LEAST).log()
        attended = torch.cat([torch.logaddexp(attended[:, :1], left), attended[:, 1:]], 1)
    return attended - torch.maximum(total, least.log())


def _log_classes(local: torch.Tensor) -> torch.Tensor:
    """Log-probabilities [B, C, K] of logits [B, L, K]."""
    if local.shape[1] > 1:
        return log_softmax(local, 1)
    return torch.cat([logsigmoid(-local), logsigmoid(local)], 1)


def _weights(attention: torch.Tensor, counts: torch.Tensor, pooling: str) -> torch.Tensor:
    """Of patches in their mean, [B, K], from logits of attention; they sum to 1."""
    even = torch.zeros_like(attention) if pooling == "mean" else attention
    return even.masked_fill(~counts, -torch.inf).softmax(1)


@dataclass(frozen=True)
class Bag:
    """What one image is said to be, and why.

    Attributes:
        score: of the one logit of two classes, or of each class, [L].
        local: probability of each patch, y_k, [L, X, Y, Z].
        attention: whether it counts, a_k, [X, Y, Z]; of other poolings, its weight.
        contribution: a_k y_k / max(sum a, K_min), [L, X, Y, Z], which sums to the score; of other poolings, weight
            times local probability.
        patches: how many count.
        least: attention that makes a whole score; 0 of other poolings.
    """

    score: torch.Tensor
    local: torch.Tensor
    attention: torch.Tensor
    contribution: torch.Tensor
    patches: int
    least: float

    def scores(self, names: Sequence[str]) -> dict[str, float]:
        """The score of each class, by its name; of two, the first has what the second leaves of 1."""
        scores = self.score.tolist()
        return dict(zip(names, scores if len(scores) > 1 else [1 - scores[0], scores[0]], strict=True))


def class_of(scores: Mapping[str, float]) -> str:
    """The name of the class with the largest score, or `NOTHING`."""
    return max(scores, key=scores.__getitem__) if any(scores.values()) else NOTHING


def bag_of(
    logits: torch.Tensor,
    seen: torch.Tensor,
    pooling: str = "interactive",
    min_attention: float = 0.005,
    attend: torch.Tensor | None = None,
    ignore: torch.Tensor | None = None,
) -> Bag:
    """The score of one image, with what each patch has to do with it; patches that do not count have 0 of all.

    Args:
        logits: of `InteractiveMIL`, [L + 1, X, Y, Z].
        seen, pooling, min_attention: as for `log_scores`, [X, Y, Z].
        attend: share of each patch that a person attends to, [X, Y, Z]: its attention is at least that.
        ignore: share of each patch that a person ignores: its attention is multiplied by what is left.

    Raises:
        InputError: a person attends or ignores, and the pooling is not interactive.
    """
    if pooling != "interactive" and not (attend is None and ignore is None):
        raise InputError(f"pooling is {pooling}: attend and ignore are for a network of pooling interactive.")
    raw, count = logits.double(), int(seen.sum())
    local = (raw[:-1].softmax(0) if len(raw) > 2 else raw[:-1].sigmoid()) * seen
    if pooling == "interactive":
        attention = raw[-1].sigmoid() * (1 - (0 if ignore is None else ignore.double()))
        attention = (attention if attend is None else torch.maximum(attention, attend.double())) * seen
        contribution = attention * local / attention.sum().clamp(min=min_attention * count)
        return Bag(contribution.sum((1, 2, 3)), local, attention, contribution, count, min_attention * count)
    weights = _weights(raw[None, -1].flatten(1), seen.flatten()[None], pooling)[0].reshape(seen.shape)
    scores = log_scores(logits[None], seen[None], pooling)[0].exp().double()
    return Bag(scores if len(raw) > 2 else scores[1:], local, weights, weights * local, count, 0.0)


def in_patches(seen: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Which patches hold a voxel of a mask [B, 1, X, Y, Z], as [B, *shape], bool."""
    return adaptive_max_pool3d((seen > 0).float(), shape[-3:])[:, 0] > 0


def share_of_patches(mask: torch.Tensor, seen: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Which share of what is seen of each patch a mask [1, X, Y, Z] covers, as [*shape]; 0 of a patch that is not."""
    x, y, z = shape[-3:]
    seen = (seen > 0).float()
    covered, known = (adaptive_avg_pool3d(some[None], (x, y, z))[0, 0] for some in ((mask > 0) * seen, seen))
    return covered / known.clamp(min=1e-9)
