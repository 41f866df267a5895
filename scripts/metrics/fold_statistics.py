"""How sure a difference between two encoders is, over the folds of one cross-validation."""

import numpy as np
import torch

from ..errors import require_package
from .subject_bootstrap import FEWEST, draw_subjects, percentiles

__all__ = ["FEWEST_IN_A_FOLD", "bootstrap_interval", "enough_subjects", "fewest_in_a_fold", "paired_tests"]

# of two, half of the draws are one of them twice, and an interval is 0.7 times as wide as it should be
FEWEST_IN_A_FOLD = 3


def bootstrap_interval(
    scores: np.ndarray,
    labels: np.ndarray,
    subjects: np.ndarray,
    folds: np.ndarray,
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the mean AUC over folds, from resampled subjects: crops of one subject are not independent.

    Subjects are drawn with replacement within each fold, whose scores are of one classifier.

    Args:
        scores: out-of-fold scores, [N]; class `labels` 0 or 1, `subjects` and `folds` of each, [N].
        repeats: resamplings.
        level: share of them in the interval.
        seed: draws them.

    Returns:
        Percentiles (1 - level) / 2 and (1 + level) / 2.
    """
    compared = [_compared(*(each[folds == fold] for each in (scores, labels, subjects))) for fold in np.unique(folds)]
    sizes = [len(won) for won, _ in compared]
    drawn = np.split(draw_subjects(sizes, repeats, seed), np.cumsum(sizes)[:-1], axis=1)
    aucs = [_drawn_auc(counts, *pairs) for counts, pairs in zip(drawn, compared, strict=True)]
    low, high = percentiles(torch.from_numpy(np.array(aucs)).nanmean(0), (1 - level) / 2).tolist()
    return low, high


def _compared(scores: np.ndarray, labels: np.ndarray, subjects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positives of a subject against negatives of another: how often they score higher (ties half), and all pairs."""
    member = (subjects[:, None] == np.unique(subjects)).astype(float)
    positive, negative = labels == 1, labels == 0
    first, second = scores[positive][:, None], scores[negative]
    won = member[positive].T @ ((first > second) + (first == second) / 2) @ member[negative]
    return won, np.outer(member[positive].sum(0), member[negative].sum(0))


def _drawn_auc(counts: np.ndarray, won: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """AUC in each draw, [R], from how often each of S subjects is in it, [R, S]; nan where a class is missing."""
    number = ((counts @ pairs) * counts).sum(1)
    return np.where(number > 0, ((counts @ won) * counts).sum(1), np.nan) / np.maximum(number, 1)


def fewest_in_a_fold(subjects: np.ndarray, folds: np.ndarray) -> int:
    """Subjects of the fold that has the fewest, from the subject and the fold of each item, [N].

    Below `FEWEST_IN_A_FOLD`, `bootstrap_interval` is too narrow to be shown.
    """
    return min(len(np.unique(subjects[folds == fold])) for fold in np.unique(folds))


def enough_subjects(labels: np.ndarray, subjects: np.ndarray, folds: np.ndarray) -> bool:
    """Whether a `bootstrap_interval` can be relied on: `FEWEST_IN_A_FOLD` in each, `FEWEST` with items of each label.

    Args:
        labels: 0 or 1, `subjects` and `folds` of each item, [N].
    """
    of_a_label = min(len(np.unique(subjects[labels == label])) for label in (0, 1))
    return of_a_label >= FEWEST and fewest_in_a_fold(subjects, folds) >= FEWEST_IN_A_FOLD


def paired_tests(first: np.ndarray, second: np.ndarray, test_share: float) -> dict[str, float]:
    """Is the first of two encoders better, from their metric in the same folds?

    The paired t-test takes folds for independent, though they share most of their training subjects; the corrected one
    adds test / training to its variance (Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning
    52, 2003).

    Args:
        first, second: of each fold, [K].
        test_share: test subjects per training subject: 1 / (K - 1), or 1 / (K - 2) where one fold validates.

    Returns:
        `difference` of the means, `effect_size` (difference / its standard deviation over folds), `p_paired` and
        `p_corrected`, both two-sided; nan where all folds differ by the same.

    Raises:
        InputError: scipy is not installed.
    """
    difference = np.asarray(first) - np.asarray(second)
    number, mean, variance = len(difference), difference.mean(), difference.var(ddof=1)
    require_package("scipy", "A test of the difference")
    from scipy import stats

    result = {"difference": float(mean), "effect_size": float(mean / np.sqrt(variance)) if variance else float("nan")}
    for name, factor in (("p_paired", 1 / number), ("p_corrected", 1 / number + test_share)):
        statistic = abs(mean) / np.sqrt(factor * variance) if variance else float("nan")
        result[name] = float(2 * stats.t.sf(statistic, number - 1))
    return result
