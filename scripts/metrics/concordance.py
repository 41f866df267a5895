"""How well risks tell who has an event earlier, in each of R draws of the subjects, and for each of them."""

import torch

__all__ = ["concordance", "concordance_of_subjects"]


def concordance(
    risk: torch.Tensor, time: torch.Tensor, event: torch.Tensor, fold: torch.Tensor, counts: torch.Tensor
) -> torch.Tensor:
    """Harrell's C, [R]: of pairs of whom it is known who had an event first, the share in which that one's risk is
    higher, ties half.

    It is known where the shorter time is that of an event, or of equal times one. Pairs are of one fold: risks of two
    folds are of two models.

    Source: Harrell et al., "Evaluating the Yield of Medical Tests", JAMA 247:2543 (1982).

    Args:
        risk: of each subject, [S].
        time, event: to an event, true, or to where nobody knows more, [S] each.
        fold: of each subject, [S].
        counts: how often each subject is in each draw, [R, S].

    Example:
        >>> time, event, fold = torch.tensor([1, 2, 3]), torch.tensor([True, False, True]), torch.zeros(3)
        >>> concordance(torch.tensor([2, 0, 1]), time, event, fold, torch.ones(1, 3).double())
        tensor([1.], dtype=torch.float64)
    """
    right, pairs = _pairs(risk, time, event, fold)
    return ((counts @ right) * counts).sum(1) / ((counts @ pairs) * counts).sum(1)


def concordance_of_subjects(
    risk: torch.Tensor, time: torch.Tensor, event: torch.Tensor, fold: torch.Tensor
) -> torch.Tensor:
    """Share of its pairs in which each subject is ranked rightly, [S]; nan without pairs; else as `concordance`."""
    right, pairs = _pairs(risk, time, event, fold)
    return (right.sum(0) + right.sum(1)) / (pairs.sum(0) + pairs.sum(1))


def _pairs(
    risk: torch.Tensor, time: torch.Tensor, event: torch.Tensor, fold: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of subjects i and j, whether i has the higher risk (half for ties), and whether it is known to be first."""
    first = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    pairs = (event[:, None] & first & (fold[:, None] == fold)).double()
    return pairs * ((risk[:, None] > risk).double() + 0.5 * (risk[:, None] == risk)), pairs
