"""No subject is on two sides of a fold."""

import pytest

from scripts.errors import InputError
from scripts.folds import parts_of_fold, subject_folds

LABELS = {f"S{number:02}": int(number < 7) for number in range(23)}


def test_each_subject_has_a_fold():
    assigned = subject_folds(LABELS, 5, seed=0)
    assert assigned.keys() == LABELS.keys() and set(assigned.values()) == set(range(5))


def test_folds_are_of_one_size_and_have_their_share_of_each_label():
    assigned = subject_folds(LABELS, 5, seed=0)
    sizes = [sum(fold == number for fold in assigned.values()) for number in range(5)]
    positive = [sum(LABELS[subject] for subject in assigned if assigned[subject] == number) for number in range(5)]
    assert max(sizes) - min(sizes) <= 1 and max(positive) - min(positive) <= 1


def test_the_seed_decides_and_the_order_of_subjects_does_not():
    backwards = dict(reversed(LABELS.items()))
    assert subject_folds(LABELS, 5, 0) == subject_folds(backwards, 5, 0) != subject_folds(LABELS, 5, 1)


def test_every_item_is_tested_once_and_never_trained_on_then():
    subjects = [subject for subject in LABELS for _ in range(3)]
    assigned, tested = subject_folds(LABELS, 5, 0), 0
    for fold in range(5):
        parts = parts_of_fold(subjects, assigned, fold)
        assert (sum(part.astype(int) for part in parts.values()) == 1).all()
        sides = [{subjects[i] for i in part.nonzero()[0]} for part in parts.values()]
        assert not (sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2])
        tested = tested + parts["test"]
    assert (tested == 1).all()


@pytest.mark.parametrize("folds", [2, 24])
def test_impossible_folds_are_refused(folds):
    with pytest.raises(InputError, match="23 subjects cannot be cross-validated"):
        subject_folds(LABELS, folds, 0)
