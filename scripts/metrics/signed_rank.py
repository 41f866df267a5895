"""Is one of two methods better, person by person? Wilcoxon's signed-rank test, exact, with its effect size."""

from typing import NamedTuple

import numpy as np

__all__ = ["SignedRank", "signed_rank"]


class SignedRank(NamedTuple):
    """How pairs differ.

    Attributes:
        p: two-sided; nan where no pair differs.
        rank_biserial: from -1, where all differences are below 0, to 1; nan likewise.
        lower: pairs whose first is lower.
    """

    p: float
    rank_biserial: float
    lower: int


def signed_rank(first: np.ndarray, second: np.ndarray) -> SignedRank:
    """Test whether the differences of pairs, [N] and [N], lie evenly about 0; pairs that do not differ are left out.

    The distribution of the sum of ranks is counted, over all 2^N signs, also where ranks are tied.

    Source: Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1 (1945); Kerby, "The Simple
    Difference Formula", Comprehensive Psychology 3 (2014), for the effect size.

    Example:
        >>> signed_rank(np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 4, 6, 8, 10]))
        SignedRank(p=0.0625, rank_biserial=-1.0, lower=5)
    """
    difference = np.asarray(first, float) - np.asarray(second, float)
    difference = difference[difference != 0]
    if not len(difference):
        return SignedRank(float("nan"), float("nan"), 0)
    _, index, count = np.unique(abs(difference), return_inverse=True, return_counts=True)
    twice = (2 * np.cumsum(count) - count + 1)[index]  # of the mean rank of those that are tied, so that it is whole
    above, total = int(twice[difference > 0].sum()), int(twice.sum())
    chance = np.zeros(total + 1)  # of each sum of the ranks above 0
    chance[0] = 1
    for rank in twice:
        moved = np.zeros_like(chance)
        moved[rank:] = chance[:-rank]
        chance = (chance + moved) / 2
    p = min(1.0, 2 * min(chance[: above + 1].sum(), chance[above:].sum()))
    return SignedRank(float(p), (2 * above - total) / total, int((difference < 0).sum()))
