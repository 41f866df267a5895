"""Numbers on pages are for people."""

import pytest

from scripts.reports.page import format_number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (9.64, "9.6"),
        (0.9641, "0.964"),
        (1.0, "1.000"),
        (-0.0001, "0.000"),
        (-12.04, "-12.0"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_has_as_many_digits_as_say_something(value, text):
    assert format_number(value) == text
