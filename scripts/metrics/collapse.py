"""Collapse, in which an encoder tells crops no longer apart, in numbers and in words."""

import torch

from .rankme import rankme

__all__ = ["collapse", "embedding_std"]


def embedding_std(embedding: torch.Tensor) -> float:
    """Standard deviation of a feature over the crops, mean over the features of [N, D]; 0 where all are alike."""
    return float(embedding.double().std(0, correction=0).mean())


def collapse(embedding: torch.Tensor, smallest_spread: float = 0.01, smallest_rank: float = 1.5) -> str | None:
    """What is wrong with embeddings [N, D] that hardly differ, in words; None if nothing is.

    Args:
        embedding: of crops from several places.
        smallest_spread: what differs between embeddings, as a share of what they are, in root mean squares.
        smallest_rank: RankMe of the differences from the mean; one direction alone has 1.
    """
    if not embedding.isfinite().all():
        return "embeddings are not finite"
    embedding = embedding.double()
    centred = embedding - embedding.mean(0)
    spread = float(centred.norm() / embedding.norm().clamp(min=torch.finfo(torch.float64).tiny))
    if spread < smallest_spread:
        return f"all crops have nearly the same embedding (they differ by {100 * spread:.2g} % of its length)"
    if rankme(centred) < smallest_rank:
        return f"embeddings differ in one direction alone (effective rank {rankme(centred):.2f})"
    return None
