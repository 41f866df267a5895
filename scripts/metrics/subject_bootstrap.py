"""How sure a figure is: what it would be of other subjects, who are drawn from these with replacement."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from statistics import NormalDist

import numpy as np
import torch

__all__ = [
    "FEWEST",
    "SubjectBootstrap",
    "draw_subjects",
    "expanded_interval",
    "expanded_p",
    "expanded_tail",
    "percentiles",
]

# with 4 subjects, an interval of 95 % would end beyond the most extreme of their 4^4 draws
FEWEST = 5


class SubjectBootstrap:
    """Draws of the subjects of N crops. Crops of one subject are not independent, and so are drawn together.

    The first of the R draws has each subject once: what is computed in it is the figure itself.

    Args:
        subjects: of each crop, [N].
        repeats: draws besides the first.
        seed: draws them, the same ones wherever there are as many subjects, so that encoders can be compared by pairs.

    Attributes:
        number: of the subjects, S.
        counts: how often each is in each draw, [R, S].
    """

    def __init__(self, subjects: Sequence | np.ndarray, repeats: int = 4000, seed: int = 0) -> None:
        names, index = np.unique(np.asarray(subjects), return_inverse=True)
        self.number, self._index = len(names), torch.from_numpy(index)
        drawn = draw_subjects([self.number], repeats, seed)
        self.counts = torch.from_numpy(np.concatenate([np.ones((1, self.number)), drawn]))

    def crop_means(self, values: torch.Tensor) -> torch.Tensor:
        """Mean over the crops of their values, [N, K], in each draw, [R, K]."""
        values = torch.cat([values.double(), torch.ones(len(values), 1)], 1)
        sums = self.counts @ torch.zeros(self.number, values.shape[1]).double().index_add(0, self._index, values)
        return sums[:, :-1] / sums[:, -1:]

    def pair_means(self, values: Iterable[torch.Tensor], counted: torch.Tensor) -> torch.Tensor:
        """Means of K values, [P] each, over the pairs of crops i < j that are counted, [P], in each draw, [R, K].

        A subject that is drawn twice has its own pairs twice, and none with its double: those would be of crops with
        themselves.
        """
        number = self._pair_sum(counted)
        return torch.stack([self._pair_sum(value * counted) / number for value in values], 1)

    def _pair_sum(self, values: torch.Tensor) -> torch.Tensor:
        of_subjects = torch.bincount(self._pairs, values.double(), self.number**2).reshape(self.number, self.number)
        within = of_subjects.diag()
        between = of_subjects - within.diag()
        return ((self.counts @ between) * self.counts).sum(1) + self.counts @ within

    @cached_property
    def _pairs(self) -> torch.Tensor:
        """Of which two subjects each pair is, as one number."""
        first, second = torch.triu_indices(len(self._index), len(self._index), 1)
        return self._index[first] * self.number + self._index[second]


def draw_subjects(groups: Sequence[int], repeats: int, seed: int) -> np.ndarray:
    """How often each of S subjects is drawn, [repeats, S], with replacement within groups of such numbers of them.

    Example:
        >>> draw_subjects([2, 3], repeats=1, seed=0).tolist()
        [[1, 1, 1, 2, 0]]
    """
    random = np.random.RandomState(seed)

    def once() -> np.ndarray:
        return np.concatenate([np.bincount(random.randint(size, size=size), minlength=size) for size in groups])

    return np.array([once() for _ in range(repeats)]).reshape(repeats, sum(groups))


def expanded_interval(draws: torch.Tensor, number: int, level: float = 0.95) -> torch.Tensor | None:
    """Interval, [2, ...], of what was computed in each draw of so many subjects, [R, ...]; None below `FEWEST`.

    Percentiles, expanded for few subjects; the first draw has each of them once, and does not count.

    Source: Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69:371 (2015).
    """
    return None if number < FEWEST else percentiles(draws[1:], expanded_tail(level, number))


def expanded_p(draws: torch.Tensor, number: int) -> float:
    """How likely draws of a difference, [R], are where there is none: two-sided p; nan below `FEWEST` subjects.

    The `expanded_interval` of the level 1 - p ends at 0, so that p is below 0.05 where that of 95 % leaves 0 out. One
    draw more than there are lies beyond 0, so that p is never 0.
    """
    if number < FEWEST:
        return float("nan")
    known = draws[1:][~draws[1:].isnan()]
    beyond = (min(int((known <= 0).sum()), int((known >= 0).sum())) + 1) / (len(known) + 1)
    low, high = 0.0, 1 - 1e-12
    for _ in range(50):  # the higher the level, the smaller the tail
        level = (low + high) / 2
        low, high = (level, high) if expanded_tail(level, number) > beyond else (low, level)
    return 1 - low


def percentiles(draws: torch.Tensor, tail: float) -> torch.Tensor:
    """What shares `tail` and 1 - `tail` of draws, [R, ...], lie below, [2, ...]; those that are nan do not count."""
    return draws.double().nanquantile(torch.tensor([tail, 1 - tail], dtype=torch.float64), 0)


def expanded_tail(level: float, number: int) -> float:
    """Share of draws beyond either end of an interval that a level of means of so many normal values would lie in.

    Plain percentiles, (1 - level) / 2, are too narrow by (n - 1) / n in the variance, and by Student's t. The latter's
    quantile is by the series 26.7.5 of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964).

    Example:
        >>> [round(expanded_tail(0.95, number), 4) for number in (5, 20, 1000)]
        [0.001, 0.0159, 0.0248]
    """
    freedom, z = number - 1, NormalDist().inv_cdf((1 + level) / 2)
    t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return NormalDist().cdf(-t * (number / freedom) ** 0.5)
