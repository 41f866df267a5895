"""Fine-tuning has the folds of linear models, and each scan its subject's target."""

import numpy as np
import pytest

from scripts.data.outcome import Outcome
from scripts.data.outcome_folds import OutcomeFolds, scans_with_targets
from scripts.errors import InputError

NAMES = [f"s{number:02}" for number in range(20)]
AGE = Outcome("age", NAMES, np.arange(20.0) + 30, (), None, np.empty((20, 0)))


def test_every_subject_is_tested_once_in_the_fold_of_linear_models():
    folds = OutcomeFolds(AGE, 4, seed=3)
    expected = AGE.folds(4, 3)
    for fold in range(4):
        assert folds.parts(fold)["test"] == {name for name, one in zip(NAMES, expected, strict=True) if one == fold}


def test_the_fold_after_it_validates_and_all_others_train():
    folds = OutcomeFolds(AGE, 4, seed=3)
    parts = folds.parts(3)
    assert parts["validate"] == folds.parts(0)["test"] and len(parts["train"]) == 10
    assert parts["train"] | parts["validate"] | parts["test"] == {*NAMES}


def test_a_target_is_that_of_the_subject_of_a_scan():
    time = Outcome("time", ["A", "B"], np.array([2.5, 4]), (), None, np.empty((2, 0)), np.array([True, False]))
    found = scans_with_targets([{"subject": name} for name in "BAB"], time)
    assert [scan["target"].tolist() for scan in found] == [[4, 0], [2.5, 1], [4, 0]]
    assert scans_with_targets([{"subject": "s02"}], AGE)[0]["target"].tolist() == [32]


def test_a_fold_without_an_event_is_refused():
    event = np.arange(20) < 3
    time = Outcome("time", NAMES, np.arange(1.0, 21), (), None, np.empty((20, 0)), event)
    assert OutcomeFolds(time, 3, 0).number == 3
    with pytest.raises(InputError, match="3 subjects have an event, less than one a fold: lower folds"):
        OutcomeFolds(time, 4, 0)
