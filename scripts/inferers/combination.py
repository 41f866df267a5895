"""One segmentation of several passes: by mean probability, by majority, or as their union."""

from collections.abc import Callable

import torch

from .passes import Passes

__all__ = ["COMBINATIONS", "majority", "mean", "union"]


def mean(passes: Passes) -> torch.Tensor:
    """The mean probability of each class, [B, K, ...]."""
    return passes.probability


def majority(passes: Passes) -> torch.Tensor:
    """(votes + mean probability) / (passes + 1), [B, K, ...]: the most votes win, and the mean decides where they tie.

    A mean is at most 1 and so never outweighs a vote. Over the classes, the scores add up to 1.
    """
    return (passes.votes + passes.probability) / (passes.count + 1)


def union(passes: Passes) -> torch.Tensor:
    """Scores of `majority` among the classes but the background, [B, K, ...], where any pass votes for one of them."""
    scores = majority(passes)
    found = passes.votes[:, 1:].any(1, keepdim=True)
    scores[:, :1].masked_fill_(found, 0)
    return scores.div_(scores.sum(1, keepdim=True))


# scores add up to 1 and can be resampled as probabilities can; the largest is the segmentation
COMBINATIONS: dict[str, Callable[[Passes], torch.Tensor]] = {"mean": mean, "majority": majority, "union": union}
