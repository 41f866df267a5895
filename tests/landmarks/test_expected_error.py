"""Expected errors are read off a table that is one."""

import logging
import math

import pytest

from scripts.errors import InputError
from scripts.landmarks.expected_error import ExpectedError


@pytest.fixture
def table(tmp_path):
    """A function: path of a table with these lines."""

    def write(text):
        path = tmp_path / "calibration.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(("confidence", "error"), [(0.1, None), (0.2, 20), (0.3, 17.5), (0.6, 10), (0.7, 7), (1, 4)])
def test_it_is_linear_between_the_lines_constant_above_and_not_known_below(table, confidence, error):
    expected = ExpectedError(table("confidence,expected_error_mm\n0.2,20\n0.6,10\n0.8,4\n"))
    assert expected(confidence) == pytest.approx(error)


def test_an_unknown_confidence_has_no_expected_error(table):
    assert ExpectedError(table("confidence,expected_error_mm\n0.2,20\n"))(math.nan) is None


@pytest.mark.parametrize("path", [None, "null", "usual.csv"])
def test_without_a_calibration_no_error_is_known_and_the_log_says_so(caplog, path):
    caplog.set_level(logging.INFO)
    assert ExpectedError(path, "usual.csv")(0.7) is None
    assert sum("there is no calibration" in message for message in caplog.messages) == 1


def test_one_that_was_given_and_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"There is no .*nowhere\.csv: give calibration"):
        ExpectedError(str(tmp_path / "nowhere.csv"), "usual.csv")


def test_a_column_that_is_missing_is_named(table):
    with pytest.raises(InputError, match=r"calibration\.csv has no column confidence: give"):
        ExpectedError(table("confidense,expected_error_mm\n0.2,20\n"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "confidence,error\n0.1,3\n",
        "confidence,expected_error_mm\n",
        "confidence,expected_error_mm\n0.1,much\n",
        "confidence,expected_error_mm\n0.1,nan\n",
        "confidence,expected_error_mm\n0.1\n",
        "confidence,expected_error_mm\n0.5,3\n0.4,5\n",
        "confidence,expected_error_mm\n0.5,3\n0.5,5\n",
    ],
)
def test_what_is_no_such_table_is_refused_by_name(table, text):
    with pytest.raises(InputError, match=r"calibration\.csv"):
        ExpectedError(table(text))
