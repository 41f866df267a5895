"""Harrell's C is what its definition says, of subjects that are drawn as often as is said."""

from itertools import permutations

import numpy as np
import pytest
import torch

from scripts.metrics.concordance import concordance, concordance_of_subjects

RANDOM = np.random.RandomState(0)
TIME, EVENT = torch.from_numpy(RANDOM.randint(1, 15, 30)), torch.from_numpy(RANDOM.rand(30) < 0.6)
RISK, FOLD = torch.from_numpy(RANDOM.randint(0, 8, 30) - TIME.numpy() / 3), torch.arange(30) % 2
COUNTS = torch.from_numpy(np.stack([np.ones(30), RANDOM.randint(0, 4, 30)]))


def slow(rows):
    """Pair by pair of a list of subjects; those of a subject with itself do not count."""
    right = known = 0.0
    for i, j in permutations(rows, 2):
        first = TIME[i] < TIME[j] or (TIME[i] == TIME[j] and not EVENT[j])
        if i != j and EVENT[i] and first and FOLD[i] == FOLD[j]:
            known += 1
            right += float(RISK[i] > RISK[j]) + 0.5 * float(RISK[i] == RISK[j])
    return right / known


def test_it_is_its_definition_in_each_draw():
    found = concordance(RISK, TIME, EVENT, FOLD, COUNTS)
    expected = [slow(np.arange(30).repeat(often.int().numpy())) for often in COUNTS]
    assert found.tolist() == pytest.approx(expected)


def test_a_risk_that_is_the_same_for_all_has_a_half():
    assert concordance(torch.zeros(30), TIME, EVENT, FOLD, COUNTS).tolist() == [0.5, 0.5]


def test_nobody_knows_whom_a_censored_subject_was_before():
    time, event = torch.tensor([1, 2]), torch.tensor([False, True])
    assert concordance(RISK[:2], time, event, torch.zeros(2), torch.ones(1, 2).double()).isnan().all()


def test_risks_of_two_folds_are_not_compared():
    time, event, fold = torch.tensor([1, 2, 1, 2]), torch.ones(4).bool(), torch.tensor([0, 0, 1, 1])
    risk = torch.tensor([12.0, 11, 2, 1])  # one fold's model says more of everybody
    assert concordance(risk, time, event, fold, torch.ones(1, 4).double()).item() == 1
    assert concordance(risk, time, event, torch.zeros(4), torch.ones(1, 4).double()).item() == 0.75


def test_a_subject_has_the_share_of_its_own_pairs():
    time, event, fold = torch.tensor([1, 2, 3, 0]), torch.tensor([True, True, False, False]), torch.zeros(4)
    found = concordance_of_subjects(torch.tensor([1.0, 2, 0, 5]), time, event, fold)
    assert found[:3].tolist() == [0.5, 0.5, 1.0] and found[3].isnan()
