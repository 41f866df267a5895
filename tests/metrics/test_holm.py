"""Holm's correction, against its definition."""

import numpy as np

from scripts.metrics.holm import holm


def test_the_smallest_counts_as_often_as_there_are_comparisons_and_none_is_below_one_before():
    p = np.array([0.2, 0.001, 0.024, 0.0004, 0.02, 0.6, 0.012, 0.004])
    ranked = np.sort(p)
    expected = [max(min(1, (8 - k) * ranked[k]) for k in range(rank + 1)) for rank in range(8)]
    assert len(set(expected)) == 7  # the second rule ties two
    assert np.allclose(np.array(holm(p))[np.argsort(p)], expected)


def test_no_p_is_above_1_and_one_alone_stays_as_it_is():
    assert holm([0.9, 0.8]) == [1, 1] and holm([0.03]) == [0.03] and holm([]) == []
