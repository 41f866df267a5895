"""Several tests at once."""

import math

import pytest

from scripts.metrics.holm import holm


def test_p_values_are_those_that_holm_computed_by_hand():
    assert holm([0.03, 0.005, 0.02, 0.6]) == pytest.approx([0.06, 0.02, 0.06, 0.6])


def test_one_test_alone_needs_no_correction():
    assert holm([0.04]) == [0.04] and holm([]) == []


def test_no_adjusted_value_is_above_1_or_below_its_own():
    p = [0.9, 0.5, 0.4, 0.04]
    assert all(own <= adjusted <= 1 for own, adjusted in zip(p, holm(p), strict=True))


def test_what_was_not_tested_does_not_count():
    adjusted = holm([0.03, math.nan, 0.04])
    assert adjusted[0] == 0.06 and math.isnan(adjusted[1])


def test_false_alarms_are_as_rare_as_the_level_says():
    """Of twenty tests without any effect, at least one is below 5 % in 64 % of all studies, and then in 5 %."""
    import numpy as np

    studies = np.random.RandomState(0).rand(2000, 20)
    assert (studies.min(1) < 0.05).mean() > 0.6
    assert 0.04 < np.mean([min(holm(list(p))) < 0.05 for p in studies]) < 0.06
