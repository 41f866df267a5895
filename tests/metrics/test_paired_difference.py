"""Two methods are compared on the same scans, over subjects."""

import math

import numpy as np
import pytest

from scripts.metrics.paired_difference import paired_difference


def test_the_mean_is_over_scans_and_the_test_over_subjects():
    first, subjects = np.array([1.0, 1, 1, 0, 1]), np.array(list("AAABC"))
    difference = paired_difference(first, np.array([0.0, 0, 0, 1, 0]), subjects)
    assert difference.mean == pytest.approx(3 / 5)
    assert difference.p == 1  # of three subjects, two are better and one is as much worse
    assert difference.interval is None  # of three subjects


def test_an_interval_is_about_that_of_students_t():
    first = 1 + 0.1 * np.random.RandomState(0).randn(20)
    difference = paired_difference(first, np.zeros(20), np.arange(20))
    half = 2.093 * first.std(ddof=1) / 20**0.5
    assert difference.interval == pytest.approx([first.mean() - half, first.mean() + half], abs=0.1 * half)


def test_scans_of_which_either_is_not_known_are_left_out():
    difference = paired_difference(np.array([1.0, math.nan, 5]), np.array([0.5, 1, math.nan]), np.array(list("ABC")))
    assert difference.mean == 0.5


def test_of_no_scans_nothing_is_known():
    difference = paired_difference(np.array([math.nan]), np.array([1.0]), np.array(["A"]))
    assert math.isnan(difference.mean) and math.isnan(difference.p) and difference.interval is None
