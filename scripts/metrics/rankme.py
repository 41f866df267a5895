"""The rank that an embedding uses."""

import torch

__all__ = ["rankme"]


def rankme(embedding: torch.Tensor, epsilon: float = 1e-7) -> float:
    r"""Effective rank $\exp(-\sum_k p_k \log p_k)$ with $p_k = \sigma_k / \lVert\sigma\rVert_1 + \epsilon$.

    Source: Garrido et al., "RankMe", ICML 2023, equations 1 and 2.

    Args:
        embedding: [N, D]; not changed, and may be of any rank.
        epsilon: keeps the logarithm finite.

    Returns:
        From 1 (one direction) to min(N, D); nan for embeddings that are not finite.

    Example:
        >>> round(rankme(torch.eye(3)), 3), round(rankme(torch.ones(5, 3)), 3)
        (3.0, 1.0)
    """
    if not embedding.isfinite().all():
        return float("nan")
    singular = torch.linalg.svdvals(embedding.double())
    share = singular / singular.sum().clamp(min=torch.finfo(torch.float64).tiny) + epsilon
    return float(torch.exp(-(share * share.log()).sum()))
