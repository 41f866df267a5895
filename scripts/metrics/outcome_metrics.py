"""How good predictions of subjects' outcomes are, in each of R draws of the subjects, and for each of them."""

import torch
from torch.nn.functional import one_hot

__all__ = ["class_metrics", "placements", "quantity_metrics"]


def quantity_metrics(predicted: torch.Tensor, target: torch.Tensor, counts: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of predictions [S] of a quantity [S]: `mae` in its unit, `r2` and `pearson_r`, [R] each.

    `r2` is 1 - Σ (predicted - target)² / Σ (target - its mean)², which is 0 for that mean and has no lower bound.

    Args:
        predicted: of each subject.
        target: likewise.
        counts: how often each subject is in each draw, [R, S].
    """
    weight = counts / counts.sum(1, keepdim=True)
    error, centred = predicted - target, target - (weight @ target)[:, None]  # [S], [R, S]
    spread, other = (weight * centred.square()).sum(1), predicted - (weight @ predicted)[:, None]
    covariance = (weight * centred * other).sum(1)
    return {
        "mae": weight @ error.abs(),
        "r2": 1 - (weight @ error.square()) / spread,
        "pearson_r": covariance / (spread * (weight * other.square()).sum(1)).sqrt(),
    }


def class_metrics(
    scores: torch.Tensor, called: torch.Tensor, target: torch.Tensor, fold: torch.Tensor, counts: torch.Tensor
) -> dict[str, torch.Tensor]:
    """`auc` and `balanced_accuracy`, [R] each, both means over the classes.

    The AUC is the share of pairs, one of a class and one not, in which the first has the higher score of that class,
    ties half, among the pairs of one fold: scores of two folds are of two models.

    Args:
        scores: of each class, [S, C].
        called: number of the class that is predicted, [S].
        target: number of the true one, [S].
        fold: of each subject, [S].
        counts: how often each subject is in each draw, [R, S].
    """
    aucs = [_auc(score, target == one, fold, counts) for one, score in enumerate(scores.T)]
    of_class = one_hot(target, scores.shape[1]).double()
    recalls = (counts @ (of_class * (called == target)[:, None])) / (counts @ of_class)
    return {"auc": torch.stack(aucs).nanmean(0), "balanced_accuracy": recalls.nanmean(1)}


def placements(scores: torch.Tensor, target: torch.Tensor, fold: torch.Tensor) -> torch.Tensor:
    """Share of its pairs in which each subject is ranked rightly, mean over the classes, [S]; nan without pairs.

    Args:
        scores, target, fold: as for `class_metrics`.
    """

    def of_class(one: int) -> torch.Tensor:
        right, pairs = _pairs(scores[:, one], target == one, fold)
        return (right.sum(0) + right.sum(1)) / (pairs.sum(0) + pairs.sum(1))

    return torch.stack([of_class(one) for one in range(scores.shape[1])]).nanmean(0)


def _pairs(score: torch.Tensor, positive: torch.Tensor, fold: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of subjects i and j, whether i is of the class and is ranked higher (half for ties), and whether they count."""
    pairs = (positive[:, None] & ~positive & (fold[:, None] == fold)).double()
    first, second = score[:, None], score
    return pairs * ((first > second).double() + 0.5 * (first == second)), pairs


def _auc(score: torch.Tensor, positive: torch.Tensor, fold: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """By sorting, as thousands of crops have too many pairs."""
    right, pairs = torch.zeros(2, len(counts), dtype=counts.dtype)
    for one in fold.unique():
        values, rank = score[fold == one].unique(return_inverse=True)
        drawn, own = counts[:, fold == one], positive[fold == one]
        of_value = drawn.new_zeros(len(drawn), len(values)).index_add(1, rank, drawn * ~own)
        lower = of_value.cumsum(1) - of_value / 2  # half for ties
        right += (drawn * own * lower[:, rank]).sum(1)
        pairs += (drawn * own).sum(1) * of_value.sum(1)
    return right / pairs
