"""Subjects whose labels are used: all, or a few of them, drawn several times."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError

__all__ = ["draws_of_subjects"]

DRAWS = 3


def draws_of_subjects(subjects: Sequence | np.ndarray, number: int, seed: int) -> list[np.ndarray]:
    """Which crops are those of so many subjects, [N] bool, in each of `DRAWS` draws; in one where these are all.

    Fewer subjects are among the more of the same draw.

    Args:
        subjects: of each crop, [N].
        number: of subjects.
        seed: draws them.

    Raises:
        InputError: fewer than two of them, from whom no penalty can be chosen.
    """
    names = np.unique(subjects)
    if number < 2:
        raise InputError(f"labelled_subjects has {number}: two labelled subjects are the fewest that can be used.")
    if number >= len(names):
        return [np.ones(len(subjects), bool)]
    orders = [np.random.RandomState([seed, draw]).permutation(names) for draw in range(DRAWS)]
    return [np.isin(subjects, order[:number]) for order in orders]
