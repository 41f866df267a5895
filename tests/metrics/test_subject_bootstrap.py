"""Draws of subjects, against slow loops, scipy and what is known of normal values."""

import numpy as np
import pytest
import torch

from scripts.metrics.subject_bootstrap import SubjectBootstrap, expanded_interval, expanded_p, expanded_tail

SUBJECTS = ["B", "A", "B", "C", "A", "B"]


@pytest.fixture
def draws():
    return SubjectBootstrap(SUBJECTS, repeats=20, seed=1)


def test_the_first_draw_has_each_subject_once_and_the_others_as_many_subjects(draws):
    assert draws.counts[0].tolist() == [1, 1, 1]
    assert (draws.counts.sum(1) == 3).all() and draws.counts.max() > 1


def test_a_mean_is_that_of_all_crops_of_the_drawn_subjects(draws):
    values = torch.randn(6, 2)
    for counts, mean in zip(draws.counts, draws.crop_means(values), strict=True):
        drawn = [values[i] for who, times in zip("ABC", counts, strict=True) for i in rows(who) * int(times)]
        assert mean.tolist() == pytest.approx(torch.stack(drawn).mean(0).tolist(), abs=1e-6)


def rows(who):
    return [i for i, subject in enumerate(SUBJECTS) if subject == who]


def test_pairs_are_of_drawn_subjects_and_never_of_one_with_its_double(draws):
    values, counted, pairs = torch.rand(15), torch.rand(15) < 0.7, torch.triu_indices(6, 6, 1).T.tolist()
    for counts, (mean,) in zip(draws.counts, draws.pair_means([values], counted), strict=True):
        times = [int(counts["ABC".index(subject)]) for subject in SUBJECTS]
        weights = [
            counted[k] * times[i] * (1 if SUBJECTS[i] == SUBJECTS[j] else times[j]) for k, (i, j) in enumerate(pairs)
        ]
        expected = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
        assert float(mean) == pytest.approx(float(expected), nan_ok=True)


@pytest.mark.parametrize("number", [5, 8, 50])
def test_the_share_beyond_is_hesterbergs(number):
    stats = pytest.importorskip("scipy.stats")
    expected = stats.norm.cdf(-np.sqrt(number / (number - 1)) * stats.t.ppf(0.975, number - 1))
    assert expanded_tail(0.95, number) == pytest.approx(expected, rel=0.03)


def test_an_interval_of_a_mean_is_students():
    stats = pytest.importorskip("scipy.stats")
    values = torch.randn(30, 1, dtype=torch.float64)
    low, high = expanded_interval(SubjectBootstrap(range(30)).crop_means(values)[:, 0], 30).tolist()
    expected = stats.t.interval(0.95, 29, values.mean(), stats.sem(values[:, 0]))
    assert (low, high) == pytest.approx(expected, abs=0.06)


def test_few_subjects_have_no_interval():
    assert expanded_interval(torch.randn(100), 4) is None
    assert expanded_interval(torch.randn(100), 5) is not None


def test_a_draw_without_a_value_does_not_count():
    values = torch.arange(1000.0)
    values[1::2] = torch.nan
    assert expanded_interval(values, 1000).isfinite().all()


@pytest.mark.parametrize("number", [5, 12, 100])
def test_p_is_1_less_the_level_of_the_interval_that_ends_at_0(number):
    draws = torch.randn(4001, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 1.5
    p = expanded_p(draws, number)
    low, _ = expanded_interval(draws, number, 1 - p).tolist()
    assert 0.05 < p < 1 and low == pytest.approx(0, abs=0.01)
    assert expanded_p(-draws, number) == pytest.approx(p)


def test_p_of_few_subjects_is_larger_and_of_too_few_there_is_none():
    draws = torch.randn(1000) + 2
    assert expanded_p(draws, 5) > expanded_p(draws, 50) > expanded_p(draws, 5000)
    assert np.isnan(expanded_p(draws, 4))


def test_p_is_never_0_and_1_where_nothing_differs():
    assert 0 < expanded_p(torch.ones(4001), 10_000) < 0.001
    assert expanded_p(torch.zeros(4001), 40) == 1
