"""A budget ends a training with the epoch that spends it, a resumed one too."""

import time

import pytest

from scripts.handlers.budget import Budget


def epochs(training, budget):
    """How many are trained."""
    budget.attach(training.trainer)
    training.trainer.run()
    return training.trainer.state.epoch


@pytest.mark.parametrize(("crops", "wanted"), [(None, 5), (18, 1), (19, 2), (36, 2)])
def test_a_training_ends_with_the_epoch_that_spends_its_crops(make_training, crops, wanted):
    assert epochs(make_training(5), Budget(crops=crops)) == wanted  # of 6 scans with 3 crops each


def test_a_training_ends_when_its_time_is_spent_validations_included(make_training, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))  # a second passes at the beginning and at each step
    assert epochs(make_training(5), Budget(seconds=7)) == 3  # of 3 steps each


def test_a_resumed_training_counts_what_was_spent_before(make_training):
    first, second = Budget(crops=36), Budget(crops=36)
    epochs(make_training(1), first)
    second.load_state_dict(first.state_dict())
    assert epochs(make_training(5), second) == 1
    assert epochs(make_training(5), second) == 0  # nothing is left


def test_what_two_processes_have_spent_is_counted_once_by_any_number_of_them(make_training, in_two_processes):
    def run():
        budget = Budget(crops=72)
        return epochs(make_training(5), budget), budget.state_dict()["crops"]

    assert in_two_processes(run) == [(2, 72), (2, 72)]  # of 18 crops each and epoch


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({}, float("inf")),
        ({"seconds": 40}, 28),
        ({"crops": 60}, 8),
        ({"seconds": 40, "crops": 60}, 8),
        ({"crops": 9}, 0),
    ],
)
def test_the_time_that_is_left_is_until_the_first_limit(limits, left):
    budget = Budget(**limits)
    budget.load_state_dict({"seconds": 12.0, "crops": 36})
    assert budget.seconds_left() == left
