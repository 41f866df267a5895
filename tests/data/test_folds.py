"""No subject is on two sides of a fold."""

import itertools

import numpy as np
import pytest

from scripts.data.folds import SubjectFolds
from scripts.errors import InputError

LABELS = {f"S{number:02}": float(number < 7) for number in range(23)}
SCANS = [{"subject": subject, "class_label": label} for subject, label in LABELS.items()]


def test_each_subject_has_a_fold():
    assigned = SubjectFolds(SCANS, 5, seed=0).assigned
    assert assigned.keys() == LABELS.keys() and set(assigned.values()) == set(range(5))


def test_folds_are_of_one_size_and_have_their_share_of_each_label():
    assigned = SubjectFolds(SCANS, 5, seed=0).assigned
    sizes = [sum(fold == number for fold in assigned.values()) for number in range(5)]
    positive = [sum(LABELS[subject] for subject in assigned if assigned[subject] == number) for number in range(5)]
    assert max(sizes) - min(sizes) <= 1 and max(positive) - min(positive) <= 1


def test_the_seed_decides_and_the_order_of_scans_does_not():
    first, backwards, other = SubjectFolds(SCANS, 5, 0), SubjectFolds(SCANS[::-1], 5, 0), SubjectFolds(SCANS, 5, 1)
    assert first.assigned == backwards.assigned != other.assigned
    assert first.parts(2, 0.5) == backwards.parts(2, 0.5)


def test_a_subject_with_one_scan_that_has_a_lesion_has_lesions():
    scans = [*SCANS, {"subject": "S20", "class_label": 1.0}, {"subject": "S03", "class_label": 0.0}]
    labels = SubjectFolds(scans, 5, 0).labels
    assert (labels["S20"], labels["S03"], labels["S21"]) == (1, 1, 0)


def test_every_item_is_tested_once_and_never_trained_on_then():
    subjects = [subject for subject in LABELS for _ in range(3)]
    folds, tested = SubjectFolds(SCANS, 5, 0), 0
    for fold in range(5):
        parts = folds.rows(subjects, fold)
        assert (sum(part.astype(int) for part in parts.values()) == 1).all()
        sides = [{subjects[i] for i in part.nonzero()[0]} for part in parts.values()]
        assert not (sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2])
        tested = tested + parts["test"]
    assert (tested == 1).all()


def test_a_smaller_share_of_the_labels_is_part_of_a_larger_one_and_has_both_labels():
    folds = SubjectFolds(SCANS, 5, 0)
    parts = [folds.parts(1, share) for share in (0.05, 0.1, 0.25, 0.5, 1)]
    for smaller, larger in itertools.pairwise(parts):
        assert smaller["train"] <= larger["train"]
        assert (smaller["validate"], smaller["test"]) == (larger["validate"], larger["test"])
    assert {LABELS[subject] for subject in parts[0]["train"]} == {0, 1}
    assert [len(part["train"]) for part in parts] == [2, 2, 4, 7, 13]


def test_other_subjects_may_be_drawn_into_a_share_of_the_same_folds():
    repeats = [SubjectFolds(SCANS, 5, 0, share_seed=seed) for seed in (0, 1)]
    assert repeats[0].parts(2) == repeats[1].parts(2)
    few, others = (repeat.parts(2, 0.5) for repeat in repeats)
    assert few["train"] != others["train"] and len(few["train"]) == len(others["train"])
    assert (few["validate"], few["test"]) == (others["validate"], others["test"])
    assert few == SubjectFolds(SCANS, 5, 0).parts(2, 0.5)


@pytest.mark.parametrize(
    ("subjects", "folds", "cure"),
    [
        (23, 2, "give 3 folds or more"),
        (23, 24, "give 3 to 23 folds, or more subjects"),
        (2, 5, "give scans of 3 or more"),
    ],
)
def test_impossible_folds_are_refused_with_what_is_possible(subjects, folds, cure):
    scans = [{"subject": f"S{number}", "class_label": number % 2} for number in range(subjects)]
    with pytest.raises(InputError, match=f"{subjects} subjects cannot be cross-validated in {folds} folds: {cure}"):
        SubjectFolds(scans, folds, 0)


@pytest.mark.parametrize(
    ("fold", "share", "said"),
    [(5, 1, "fold is 5"), (-1, 1, "fold is -1"), (0, 0, "label_share is 0"), (0, 50, "label_share is 50")],
)
def test_a_fold_or_share_that_is_none_is_refused(fold, share, said):
    with pytest.raises(InputError, match=said):
        SubjectFolds(SCANS, 5, 0).parts(fold, share)


def test_names_of_subjects_are_plain_strings():
    assert not any(isinstance(one, np.str_) for one in SubjectFolds(SCANS, 5, 0).assigned)
