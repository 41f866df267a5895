"""How sure a difference between two encoders is, over subjects: a person is one observation, however many crops."""

import numpy as np
import torch

from ..errors import require_package
from .roc_auc import roc_auc

__all__ = ["subject_test", "within_subject_auc"]


def within_subject_auc(scores: np.ndarray, labels: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """ROC AUC of the crops of each subject, [S], by name; nan where a subject has crops of one class alone.

    Args:
        scores: [N]; class `labels` 0 or 1 and `subjects` of each, [N].
    """
    score, label = torch.from_numpy(scores), torch.from_numpy(labels)
    return np.array([roc_auc(score[rows], label[rows]) for rows in (subjects == one for one in np.unique(subjects))])


def subject_test(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Is the first of two encoders better, from their metric of the same subjects? Wilcoxon's signed-rank test.

    Args:
        first, second: of each subject, [S]; those with nan do not count.

    Returns:
        `subjects` that count; `better`, those in which the first is; `rank_biserial`, from -1 to 1: the ranks of these
        less those of the others, as a share of all ranks (Kerby, "The Simple Difference Formula", Comprehensive
        Psychology 3, 2014); `p_subjects`, two-sided; both nan where no subject differs.

    Raises:
        InputError: scipy is not installed.
    """
    require_package("scipy", "A test of the difference")
    from scipy import stats

    difference = np.asarray(first) - np.asarray(second)
    difference = difference[np.isfinite(difference)]
    counted: dict[str, float] = {"subjects": len(difference), "better": int((difference > 0).sum())}
    unequal = difference[difference != 0]
    if not len(unequal):
        return counted | {"rank_biserial": float("nan"), "p_subjects": float("nan")}
    ranks = stats.rankdata(abs(unequal))
    balance = float((ranks * np.sign(unequal)).sum() / ranks.sum())
    return counted | {"rank_biserial": balance, "p_subjects": float(stats.wilcoxon(unequal).pvalue)}
