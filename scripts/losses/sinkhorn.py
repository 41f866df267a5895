"""Soft permutations: matrices whose rows and columns sum to 1, made of scores."""

import torch

__all__ = ["gumbel_noise", "log_sinkhorn"]


def log_sinkhorn(scores: torch.Tensor, iterations: int) -> torch.Tensor:
    r"""Logarithm of the matrix that rows and columns of $\exp X$ are divided by their sums to, in turn.

    The more often that is done, the closer to 1 the rows sum; the columns do after each time. Nothing is exponentiated
    that is above 0, so that scores of any size can be taken, such as those that a low temperature divides. Scores of
    minus infinity are of what cannot be; each row and each column needs another one.

    Source: Sinkhorn, "A Relationship Between Arbitrary Positive Matrices and Doubly Stochastic Matrices", Ann. Math.
    Statist. 35:876 (1964); as a layer, Mena et al., "Learning Latent Permutations with Gumbel-Sinkhorn Networks", ICLR
    2018, equation 3.

    Args:
        scores: X / temperature, [..., N, N].
        iterations: how often rows and then columns are normalised.

    Returns:
        log S, [..., N, N], float32 also under autocast (float64 for float64 scores).

    Example:
        >>> log_sinkhorn(torch.tensor([[0.0, 1000.0], [1000.0, 0.0]]), 20).exp()
        tensor([[0., 1.],
                [1., 0.]])
    """
    with torch.autocast(scores.device.type, enabled=False):
        log_s = scores if scores.dtype == torch.float64 else scores.float()
        for _ in range(iterations):
            log_s = log_s - log_s.logsumexp(-1, keepdim=True)
            log_s = log_s - log_s.logsumexp(-2, keepdim=True)
        return log_s


def gumbel_noise(like: torch.Tensor) -> torch.Tensor:
    """Draws of a standard Gumbel distribution, of a tensor's shape, type and device, by torch's generator.

    Scores with it, given to `log_sinkhorn` at a low temperature, are draws of permutations (Mena et al., section 3).
    """
    drawn = torch.empty_like(like).exponential_()
    return -drawn.clamp(min=torch.finfo(drawn.dtype).tiny).log()  # 0 can be drawn
