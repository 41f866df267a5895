"""A few of the labelled subjects."""

import numpy as np
import pytest

from scripts.errors import InputError
from scripts.evaluation.labelled_subjects import DRAWS, draws_of_subjects

SUBJECTS = np.repeat([f"P{i}" for i in range(12)], 4)


def whose(kept):
    return set(SUBJECTS[kept])


def test_all_crops_of_so_many_subjects_are_drawn():
    drawn = draws_of_subjects(SUBJECTS, 5, seed=0)
    assert len(drawn) == DRAWS and len({frozenset(whose(kept)) for kept in drawn}) == DRAWS
    assert all(len(whose(kept)) == 5 and kept.sum() == 20 for kept in drawn)


def test_the_few_are_among_the_many_and_the_seed_draws_them():
    few, many, others = (draws_of_subjects(SUBJECTS, number, seed) for number, seed in ((3, 0), (6, 0), (3, 1)))
    assert all(whose(one) < whose(other) for one, other in zip(few, many, strict=True))
    assert [whose(kept) for kept in few] != [whose(kept) for kept in others]


def test_of_all_there_is_one_draw():
    (kept,) = draws_of_subjects(SUBJECTS, 12, seed=0)
    assert kept.all()


def test_one_subject_is_refused():
    with pytest.raises(InputError, match="labelled_subjects has 1: two"):
        draws_of_subjects(SUBJECTS, 1, seed=0)
