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


def test_a_line_says_how_much_time_is_left_where_that_is_a_minute_or_more(clock, caplog):
    caplog.set_level("INFO")
    items = with_progress(iter("abc"), "Reading scan", seconds=6, total=4001)
    assert [next(items) for _ in "abc"] == list("abc")
    assert caplog.messages == ["Reading scan 1 of 4001, about 7 h left"]


def test_minutes_that_are_left_are_those_at_the_pace_until_now(clock, caplog):
    caplog.set_level("INFO")
    list(with_progress(iter("abc"), "Reading scan", seconds=6, total=21))
    assert caplog.messages == ["Reading scan 1 of 21, about 2 min left"]


def test_what_is_done_soon_says_nothing(caplog):
    caplog.set_level("INFO")
    assert list(with_progress(iter("abc"), "Reading scan")) == list("abc")
    assert not caplog.messages
