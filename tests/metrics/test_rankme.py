"""RankMe is the effective rank of its formula."""

import math

import pytest
import torch

from scripts.metrics.rankme import rankme


@pytest.mark.parametrize("rank", [1, 2, 5, 8])
def test_rankme_counts_equal_singular_values(rank):
    left, right = torch.linalg.qr(torch.randn(30, 8)).Q, torch.linalg.qr(torch.randn(8, 8)).Q
    embedding = 7 * left[:, :rank] @ right[:rank]
    assert rankme(embedding) == pytest.approx(rank, rel=1e-4)


def test_rankme_of_two_unequal_singular_values_is_that_of_the_formula():
    expected = math.exp(-0.8 * math.log(0.8) - 0.2 * math.log(0.2))
    assert rankme(torch.diag(torch.tensor([4.0, 1.0]))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("embedding", [torch.zeros(6, 4), torch.ones(6, 4), torch.ones(1, 4)])
def test_rankme_of_a_collapsed_embedding_is_one(embedding):
    assert rankme(embedding) == pytest.approx(1, rel=1e-4)


def test_rankme_does_not_depend_on_the_unit():
    embedding = torch.randn(20, 6)
    assert rankme(1e-6 * embedding) == pytest.approx(rankme(1e6 * embedding), rel=1e-6)


def test_rankme_does_not_change_its_input():
    embedding = torch.randn(20, 6, dtype=torch.float64)
    before = embedding.clone()
    rankme(embedding)
    assert torch.equal(embedding, before)
