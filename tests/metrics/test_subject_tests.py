"""Subjects are the observations: of each, one AUC."""

import numpy as np
import pytest

from scripts.metrics.subject_tests import subject_test, within_subject_auc


def test_the_auc_is_of_a_subjects_own_crops():
    scores, labels = np.array([3.0, 1, 2, 9, 5, 7]), np.array([1, 0, 1, 1, 0, 1])
    subjects = np.array(["b", "b", "a", "a", "a", "c"])
    assert within_subject_auc(scores, labels, subjects) == pytest.approx([0.5, 1.0, np.nan], nan_ok=True)


def test_the_test_is_scipys_of_subjects_that_have_both():
    stats = pytest.importorskip("scipy.stats")
    first, second = np.random.RandomState(0).rand(2, 20)
    first[3], second[7] = np.nan, np.nan
    known = np.isfinite(first - second)
    found = subject_test(first, second)
    assert found["p_subjects"] == pytest.approx(stats.wilcoxon(first[known], second[known]).pvalue)
    assert found["subjects"] == 18 and found["better"] == (first > second).sum()


def test_the_rank_biserial_correlation_is_the_share_of_ranks_for_less_that_against():
    assert subject_test(np.array([4.0, 3, -1, 0]), np.zeros(4))["rank_biserial"] == pytest.approx((3 + 2 - 1) / 6)


@pytest.mark.parametrize("same", [np.ones(5), np.full(5, np.nan)])
def test_without_a_difference_there_is_no_p(same):
    found = subject_test(same, same)
    assert np.isnan(found["p_subjects"]) and np.isnan(found["rank_biserial"]) and found["better"] == 0
