"""How well shares are predicted, where the answer is known."""

import numpy as np
import pytest
import torch

from scripts.metrics.structure_shares import structure_error, structure_r2
from scripts.metrics.subject_bootstrap import SubjectBootstrap

SUBJECTS = np.repeat(list("ABCDEF"), 10)


@pytest.fixture
def shares():
    return torch.rand(60, 3) * torch.tensor([1, 0.01, 0.0001])


def test_r2_is_scikit_learns_mean_over_structures(shares):
    metrics = pytest.importorskip("sklearn.metrics")
    said = shares + 0.3 * shares.std(0) * torch.randn(60, 3)
    drawn = structure_r2(SubjectBootstrap(SUBJECTS, repeats=3), said, shares)
    assert float(drawn[0]) == pytest.approx(metrics.r2_score(shares.double(), said.double()), abs=1e-6)
    assert drawn.shape == (4,)


def test_a_structure_that_is_nowhere_does_not_count(shares):
    shares[:, 1] = 0
    said = shares + torch.tensor([0, 0.5, 0])
    draws = SubjectBootstrap(SUBJECTS, repeats=0)
    assert float(structure_r2(draws, said, shares)) == pytest.approx(1, abs=1e-6)
    assert structure_error(said, shares, SUBJECTS).max() < 1e-6


def test_the_errors_of_subjects_are_in_units_of_each_structures_variance(shares):
    said = shares.mean(0).expand_as(shares)
    errors = structure_error(said, shares, SUBJECTS)
    assert errors.mean() == pytest.approx(1, rel=1e-4)
    own = ((said - shares)[10:20].square() / shares.var(0, correction=0)).mean()
    assert errors[1] == pytest.approx(float(own), rel=1e-4)
