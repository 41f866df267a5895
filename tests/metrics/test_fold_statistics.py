"""Statistics, against slow loops, closed forms and other libraries."""

import numpy as np
import pytest

from scripts.metrics.fold_statistics import bootstrap_interval, enough_subjects, paired_tests
from scripts.metrics.subject_bootstrap import draw_subjects


@pytest.fixture
def random():
    return np.random.RandomState(0)


def auc(scores, labels):
    """Share of pairs of a positive and a negative item in which the positive one scores higher, one pair at a time."""
    pairs = [(a > b) + (a == b) / 2 for a in scores[labels == 1] for b in scores[labels == 0]]
    return sum(pairs) / len(pairs)


@pytest.fixture
def cohort(random):
    """Scores of ten crops of each of 40 subjects, that share the luck of their subject."""
    subjects, labels = np.repeat(np.arange(40), 10), np.tile([0, 1], 200)
    luck = random.randn(40)[subjects] * (2 * labels - 1)
    return labels + luck + 0.3 * random.randn(400), labels, subjects, subjects % 5


def test_the_interval_holds_the_mean(cohort):
    scores, labels, subjects, folds = cohort
    low, high = bootstrap_interval(scores, labels, subjects, folds, repeats=300)
    mean = np.mean([auc(scores[folds == fold], labels[folds == fold]) for fold in range(5)])
    assert low < mean < high


def test_the_interval_is_that_of_the_drawn_crops_themselves(cohort):
    scores, labels, subjects, folds = cohort
    labels = np.where((folds == 0) & (subjects > 4), 0, labels)  # the crops of one subject alone are of both kinds
    members = [[np.flatnonzero(subjects == one) for one in np.unique(subjects[folds == fold])] for fold in range(5)]
    means = []
    for drawn in draw_subjects([8] * 5, 30, 0).reshape(30, 5, 8):
        items = [
            np.concatenate([np.tile(rows, n) for rows, n in zip(*fold, strict=True)])
            for fold in zip(members, drawn, strict=True)
        ]
        aucs = [auc(scores[rows], labels[rows]) for rows in items if 0 < labels[rows].sum() < len(rows)]
        means.append(np.mean(aucs))
    assert min(len(set(labels[rows])) for rows in members[0]) == 1
    found = bootstrap_interval(scores, labels, subjects, folds, repeats=30)
    assert found == pytest.approx(np.quantile(means, [0.025, 0.975]))


def test_crops_of_one_subject_are_not_taken_for_independent(cohort):
    scores, labels, subjects, folds = cohort
    low, high = bootstrap_interval(scores, labels, subjects, folds, repeats=300)
    narrow, wide = bootstrap_interval(scores, labels, np.arange(400), folds, repeats=300)
    assert high - low > 1.5 * (wide - narrow)


def test_the_paired_test_is_scipys(random):
    stats = pytest.importorskip("scipy.stats")
    first, second = random.rand(10), random.rand(10)
    assert paired_tests(first, second, 1 / 8)["p_paired"] == pytest.approx(stats.ttest_rel(first, second).pvalue)


def test_the_corrected_test_is_nadeaus_and_bengios(random):
    stats = pytest.importorskip("scipy.stats")
    first, second = random.rand(10) + 0.2, random.rand(10)
    difference = first - second
    statistic = difference.mean() / np.sqrt((1 / 10 + 1 / 8) * difference.var(ddof=1))
    result = paired_tests(first, second, 1 / 8)
    assert result["p_corrected"] == pytest.approx(2 * stats.t.sf(abs(statistic), 9))
    assert result["p_corrected"] > result["p_paired"]


def test_effects_have_size_and_sign():
    pytest.importorskip("scipy")
    result = paired_tests(np.array([0.8, 0.9, 1.0]), np.array([0.5, 0.5, 0.5]), 0.5)
    assert result["difference"] == pytest.approx(0.4) and result["effect_size"] == pytest.approx(4)


def test_equal_encoders_do_not_differ():
    pytest.importorskip("scipy")
    result = paired_tests(np.ones(5), np.ones(5), 0.25)
    assert result["difference"] == 0 and np.isnan(result["p_paired"])


@pytest.mark.parametrize(("positives", "folds", "enough"), [(5, 3, True), (4, 3, False), (6, 5, False)])
def test_an_interval_takes_subjects_of_each_label_and_in_each_fold(positives, folds, enough):
    subjects = np.arange(13)
    assert enough_subjects((subjects < positives).astype(int), subjects, subjects % folds) == enough
