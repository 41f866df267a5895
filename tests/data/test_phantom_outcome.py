"""A synthetic outcome is drawn from how much lesion there is, and from nothing else."""

import numpy as np

from scripts.data.phantom_outcome import COLUMNS, LAST_SEEN, draw_outcome


def drawn(lesion_ml, number=2000):
    """A column of values for each of `COLUMNS` but the first, of many subjects with so much lesion."""
    rows = [draw_outcome(np.random.default_rng([0, i]), lesion_ml) for i in range(number)]
    return dict(zip(COLUMNS[1:], np.array(rows).T, strict=True))


def test_a_score_is_ten_times_the_severity_with_noise():
    found = drawn(np.e - 1)
    assert set(found["severity"]) == {1.0}
    assert abs(found["score"].mean() - 10) < 0.5 and abs(found["score"].std() - 5) < 0.5


def test_events_come_at_the_rate_that_is_said():
    """Of an exponential time, the rate is the number of events a year that was seen."""
    for severity in (0.0, 3.0, 5.0):
        found = drawn(np.expm1(severity))
        rate = found["event"].sum() / found["time"].sum()
        assert abs(np.log(rate) - (severity - 3)) < 0.15


def test_nobody_is_seen_longer_than_the_study():
    found = drawn(0.0)
    assert found["time"].min() > 0 and found["time"].max() <= LAST_SEEN
    assert 0.05 < found["event"].mean() < 0.5


def test_the_same_subject_has_the_same_outcome():
    first, second = (draw_outcome(np.random.default_rng([0, 7]), 12.0) for _ in range(2))
    assert first == second
