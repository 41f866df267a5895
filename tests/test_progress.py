"""What takes long says so."""

import pytest

from scripts.progress import with_progress


@pytest.fixture
def clock(monkeypatch):
    """Each look at the clock is three seconds after the last one."""
    times = iter(range(0, 1000, 3))
    monkeypatch.setattr("time.monotonic", lambda: next(times))


def test_a_line_is_written_when_time_has_passed_since_the_last_one(clock, caplog):
    caplog.set_level("INFO")
    assert list(with_progress("abcdef", "Reading scan", seconds=8)) == list("abcdef")
    assert caplog.messages == ["Reading scan 2 of 6", "Reading scan 5 of 6"]


def test_a_total_may_be_given(clock, caplog):
    caplog.set_level("INFO")
    list(with_progress(iter("abc"), "Reading scan", seconds=6, total=3))
    assert caplog.messages == ["Reading scan 1 of 3"]


def test_what_is_done_soon_says_nothing(caplog):
    caplog.set_level("INFO")
    assert list(with_progress(iter("abc"), "Reading scan")) == list("abc")
    assert not caplog.messages
