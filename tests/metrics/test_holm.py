"""Holm's correction, where the answer is known."""

import math

import pytest

from scripts.metrics.holm import holm


def test_one_test_stays_as_it_is():
    assert holm([0.03]) == [0.03]


def test_the_smallest_counts_all_tests_and_the_largest_one():
    assert holm([0.5, 0.001, 0.04]) == pytest.approx([0.5, 0.003, 0.08])


def test_the_order_of_p_is_kept_and_nothing_exceeds_one():
    assert holm([0.02, 0.021, 0.9, 0.8]) == pytest.approx([0.08, 0.08, 1, 1])


def test_what_is_no_test_does_not_count():
    first, nothing = holm([0.02, math.nan])
    assert first == 0.02 and math.isnan(nothing)
