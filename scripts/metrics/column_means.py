"""Means over persons of what is said of each column, where not all have it, and how sure they are."""

import torch

from .subject_bootstrap import FEWEST, SubjectBootstrap, expanded_tail, percentiles

__all__ = ["column_means"]

BLOCK = 512  # columns at once; of each, all draws are held


def column_means(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Means [C] of values [P, C] over the persons who have one, and the ends of their 95 % intervals, [2, C].

    Persons are drawn with replacement; those whose value is nan do not count. Ends of columns that fewer than 5 persons
    have are nan.

    Example:
        >>> column_means(torch.tensor([[1.0, 2.0], [3.0, torch.nan]]))[0]
        tensor([2., 2.], dtype=torch.float64)
    """
    draws = SubjectBootstrap(range(len(values)))
    blocks = [_of_block(values[:, i : i + BLOCK].double(), draws) for i in range(0, values.shape[1], BLOCK)]
    means, ends = zip(*blocks, strict=True)
    return torch.cat(means), torch.cat(ends, 1)


def _of_block(values: torch.Tensor, draws: SubjectBootstrap) -> tuple[torch.Tensor, torch.Tensor]:
    known = ~values.isnan()
    means = (draws.counts @ values.nan_to_num(0)) / (draws.counts @ known.double())
    persons, ends = known.sum(0), torch.full((2, values.shape[1]), torch.nan, dtype=torch.float64)
    for number in persons[persons >= FEWEST].unique().tolist():
        alike = persons == number
        ends[:, alike] = percentiles(means[1:, alike], expanded_tail(0.95, number))
    return means[0], ends
