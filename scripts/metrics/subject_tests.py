"""How sure a difference between two encoders is, over subjects: a person is one observation, however many crops."""

import numpy as np
import torch

from .roc_auc import roc_auc
from .signed_rank import signed_rank

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
        less those of the others, as a share of all ranks; `p_subjects`, two-sided; both nan where no subject differs.
    """
    test = signed_rank(first, second)
    return {
        "subjects": int((~np.isnan(first - second)).sum()),
        "better": test.higher,
        "rank_biserial": test.rank_biserial,
        "p_subjects": test.p,
    }
