"""Wilcoxon's signed-rank test, where it can be computed otherwise."""

import itertools

import numpy as np
import pytest

from scripts.metrics.signed_rank import signed_rank


@pytest.mark.parametrize("number", [5, 12, 30])
def test_p_is_scipys(number):
    stats = pytest.importorskip("scipy.stats")
    first, second = np.random.randn(number) + 0.4, np.random.randn(number)
    assert signed_rank(first, second).p == pytest.approx(stats.wilcoxon(first, second, method="exact").pvalue)


@pytest.mark.parametrize("ties", [1, 10])
def test_p_of_many_pairs_is_scipys_of_a_normal_sum(ties):
    stats = pytest.importorskip("scipy.stats")
    difference = np.round((np.random.randn(300) + 0.1) * 100 / ties) * ties
    expected = stats.wilcoxon(difference, correction=False, method="asymptotic").pvalue
    assert signed_rank(difference, np.zeros(300)).p == pytest.approx(expected)


def test_the_normal_sum_is_as_good_where_it_begins(monkeypatch):
    difference = np.random.RandomState(1).randn(200)
    exact = signed_rank(difference, np.zeros(200)).p
    monkeypatch.setattr("scripts.metrics.signed_rank.MOST", 199)
    normal = signed_rank(difference, np.zeros(200)).p
    assert normal != exact and normal == pytest.approx(exact, rel=0.02)


def test_ties_are_counted_over_all_signs():
    difference = np.array([1.0, 1, -1, 2, 2, 3])
    ranks = np.array([2.0, 2, 2, 4.5, 4.5, 6])
    sums = np.array([(ranks * signs).sum() for signs in itertools.product((0, 1), repeat=6)])
    seen = ranks[difference > 0].sum()
    expected = 2 * min((sums >= seen).mean(), (sums <= seen).mean())
    assert signed_rank(difference, np.zeros(6)).p == pytest.approx(expected)


def test_the_effect_size_says_who_is_higher():
    first, second = np.array([1.0, 1, 1, 9]), np.array([2.0, 3, 4, 5])
    test = signed_rank(first, second)
    assert test.higher == 1 and test.rank_biserial == pytest.approx((4 - 6) / 10)  # of the differences -1, -2, -3, 4
    assert signed_rank(second, first).rank_biserial == -test.rank_biserial


def test_pairs_that_do_not_differ_say_nothing():
    assert np.isnan(signed_rank(np.ones(3), np.ones(3)).p)
    assert signed_rank(np.array([1.0, 0, 0]), np.array([1.0, 1, 2])).p == 0.5


def test_pairs_with_nan_do_not_count():
    first, second = np.array([1.0, 2, np.nan, 3, 1]), np.array([2.0, 4, 1, 6, np.nan])
    assert signed_rank(first, second) == signed_rank(first[[0, 1, 3]], second[[0, 1, 3]])
