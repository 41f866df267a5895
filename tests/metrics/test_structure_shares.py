"""How well shares are predicted, where the answer is known."""

import numpy as np
import pytest
import torch

from scripts.metrics.structure_shares import structure_error, structure_r2
from scripts.metrics.subject_bootstrap import SubjectBootstrap

SUBJECTS = np.repeat(list("ABCDEF"), 10)


@pytest.fixture
def shares():
    return torch.rand(60, 3)


def test_r2_is_scikit_learns_weighted_by_how_much_each_structure_varies(shares):
    metrics = pytest.importorskip("sklearn.metrics")
    shares = shares * torch.tensor([1, 0.5, 0.1])
    said = shares + 0.3 * shares.std(0) * torch.randn(60, 3)
    drawn = structure_r2(SubjectBootstrap(SUBJECTS, repeats=3), said, shares)
    expected = metrics.r2_score(shares.double(), said.double(), multioutput="variance_weighted")
    assert float(drawn[0]) == pytest.approx(expected, abs=1e-6) and drawn.shape == (4,)


def test_a_structure_of_which_test_crops_hold_next_to_nothing_does_not_decide(shares):
    shares[:, 1] = 1e-6 * torch.rand(60)
    said = shares + torch.tensor([0, 0.01, 0])
    assert float(structure_r2(SubjectBootstrap(SUBJECTS, repeats=0), said, shares)) > 0.99


def test_the_errors_are_those_of_a_subjects_own_crops(shares):
    said = shares.mean(0).expand_as(shares)
    errors = structure_error(said, shares, SUBJECTS)
    assert errors[1] == pytest.approx(float((said - shares)[10:20].square().mean()), rel=1e-4)


def test_of_crops_that_do_not_differ_there_is_no_r2():
    draws = SubjectBootstrap(["A"] * 3 + ["B"] * 3, repeats=50)
    said, shares = torch.rand(6, 1), torch.tensor([0.1, 0.1, 0.1, 0.3, 0.3, 0.3])[:, None]
    drawn, one_subject = structure_r2(draws, said, shares), draws.counts.max(1)[0] == 2
    assert 0 < one_subject.sum() < 51 and torch.equal(drawn.isnan(), one_subject)
    assert structure_r2(draws, said, torch.full((6, 1), 0.1)).isnan().all()
