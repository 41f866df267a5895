"""Is one of two methods better, person by person? Wilcoxon's signed-rank test, with its effect size."""

import math
from typing import NamedTuple

import numpy as np

__all__ = ["SignedRank", "signed_rank"]

MOST = 200  # pairs of which all signs are counted; of more, the sum of ranks is normal


class SignedRank(NamedTuple):
    """How pairs differ.

    Attributes:
        p: two-sided; nan where no pair differs.
        rank_biserial: from -1, where all differences are below 0, to 1; nan likewise.
        higher: pairs whose first is higher.
    """

    p: float
    rank_biserial: float
    higher: int


def signed_rank(first: np.ndarray, second: np.ndarray) -> SignedRank:
    """Test whether the differences of pairs, [N] and [N], lie evenly about 0; equal ones, and nan, are left out.

    The distribution of the sum of ranks is counted, over all 2^N signs, also where ranks are tied; of more than `MOST`
    pairs it is taken for normal, with the variance of tied ranks.

    Source: Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1 (1945); Hollander, Wolfe,
    "Nonparametric Statistical Methods" (1999), section 3.1, for many pairs; Kerby, "The Simple Difference Formula",
    Comprehensive Psychology 3 (2014), for the effect size.

    Example:
        >>> signed_rank(np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 4, 6, 8, 10]))
        SignedRank(p=0.0625, rank_biserial=-1.0, higher=0)
    """
    difference = np.asarray(first, float) - np.asarray(second, float)
    difference = difference[(difference != 0) & ~np.isnan(difference)]
    if not len(difference):
        return SignedRank(float("nan"), float("nan"), 0)
    _, index, count = np.unique(abs(difference), return_inverse=True, return_counts=True)
    twice = (2 * np.cumsum(count) - count + 1)[index]  # of the mean rank of those that are tied, so that it is whole
    above, total = int(twice[difference > 0].sum()), int(twice.sum())
    p = (_counted if len(twice) <= MOST else _normal)(twice, above)
    return SignedRank(p, (2 * above - total) / total, int((difference > 0).sum()))


def _counted(ranks: np.ndarray, above: int) -> float:
    """Two-sided p of a sum of the whole ranks above 0, over all signs."""
    chance = np.zeros(ranks.sum() + 1)  # of each sum
    chance[0] = 1
    for rank in ranks:
        moved = np.zeros_like(chance)
        moved[rank:] = chance[:-rank]
        chance = (chance + moved) / 2
    return float(min(1.0, 2 * min(chance[: above + 1].sum(), chance[above:].sum())))


def _normal(ranks: np.ndarray, above: int) -> float:
    """The same, of a normal sum with the mean and the variance that all signs give it."""
    z = (above - ranks.sum() / 2) / math.sqrt(np.square(ranks, dtype=float).sum() / 4)
    return math.erfc(abs(z) / math.sqrt(2))
