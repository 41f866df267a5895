"""How sure a difference between two encoders is, over the folds of one cross-validation."""

import numpy as np
import torch

from ..errors import require_package
from .roc_auc import roc_auc
from .subject_bootstrap import draw_subjects, percentiles

__all__ = ["FEWEST_IN_A_FOLD", "bootstrap_interval", "fewest_in_a_fold", "paired_tests"]

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
    groups = [
        [np.flatnonzero((folds == fold) & (subjects == one)) for one in np.unique(subjects[folds == fold])]
        for fold in np.unique(folds)
    ]
    of_folds = np.cumsum([len(group) for group in groups])[:-1]
    counts = draw_subjects([len(group) for group in groups], repeats, seed)
    score, label = torch.from_numpy(scores), torch.from_numpy(labels)

    def auc(group: list[np.ndarray], often: np.ndarray) -> float:
        items = np.concatenate([np.tile(rows, times) for rows, times in zip(group, often, strict=True)])
        return roc_auc(score[items], label[items])

    aucs = [[auc(*fold) for fold in zip(groups, np.split(drawn, of_folds), strict=True)] for drawn in counts]
    low, high = percentiles(torch.tensor(aucs, dtype=torch.float64).nanmean(1), (1 - level) / 2).tolist()
    return low, high


def fewest_in_a_fold(subjects: np.ndarray, folds: np.ndarray) -> int:
    """Subjects of the fold that has the fewest, from the subject and the fold of each item, [N].

    Below `FEWEST_IN_A_FOLD`, `bootstrap_interval` is too narrow to be shown.
    """
    return min(len(np.unique(subjects[folds == fold])) for fold in np.unique(folds))


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
