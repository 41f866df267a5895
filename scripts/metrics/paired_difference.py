"""By how much one of two methods is better on the same scans, and how sure that is over subjects."""

from typing import NamedTuple

import numpy as np
import torch

from .signed_rank import signed_rank
from .subject_bootstrap import SubjectBootstrap, expanded_interval

__all__ = ["PairedDifference", "paired_difference"]


class PairedDifference(NamedTuple):
    """What the first of two methods has more than the second.

    Attributes:
        mean: over scans; nan where there is none.
        interval: of 95 %, [low, high], from draws of subjects; None of too few.
        p: two-sided, of Wilcoxon's signed-rank test of subjects' means; nan where no subject differs.
    """

    mean: float
    interval: list[float] | None
    p: float


def paired_difference(first: np.ndarray, second: np.ndarray, subjects: np.ndarray) -> PairedDifference:
    """Compare two methods by a metric of the same scans; those where either is nan are left out.

    Args:
        first, second: of each scan, [N].
        subjects: of each scan, [N].

    Example:
        >>> dice = np.array([0.9, 0.8, 0.7, 0.6, 0.9, 0.8])
        >>> difference = paired_difference(dice, dice - 0.1, np.array(list("ABCDEF")))
        >>> round(difference.mean, 3), [round(end, 3) for end in difference.interval], difference.p
        (0.1, [0.1, 0.1], 0.03125)
    """
    differs, known = first - second, ~np.isnan(first - second)
    differs, subjects = differs[known], subjects[known]
    if not len(differs):
        return PairedDifference(float("nan"), None, float("nan"))
    draws = SubjectBootstrap(subjects)
    means = draws.crop_means(torch.from_numpy(differs)[:, None])[:, 0]
    interval = expanded_interval(means, draws.number)
    of_subjects = np.array([differs[subjects == one].mean() for one in np.unique(subjects)])
    p = signed_rank(of_subjects, np.zeros(len(of_subjects))).p
    return PairedDifference(float(means[0]), None if interval is None else interval.tolist(), p)
