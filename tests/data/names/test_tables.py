"""Which subjects the names of a table mean."""

import pytest

from scripts.data.names.tables import match_names


@pytest.mark.parametrize(
    ("name", "subject"),
    [("1", "001"), ("1.0", "001"), ("1", "sub-001"), ("01", "sub-01"), ("P7", "sub-P7"), ("sub-7", "sub-007")],
)
def test_a_name_that_a_spreadsheet_changed_is_still_its_subject(name, subject):
    assert match_names([name], [subject, "another"]) == {name: subject}


def test_a_name_that_is_written_alike_goes_first():
    assert match_names(["1"], ["1", "001"]) == {"1": "1"}


@pytest.mark.parametrize(
    ("names", "subjects"), [(["1"], ["01", "001"]), (["1", "01"], ["001"]), (["1"], ["10", "P1"]), (["p1"], ["P1"])]
)
def test_a_name_in_doubt_is_nobody(names, subjects):
    assert match_names(names, subjects) == {}


def test_a_number_beside_the_subject_that_is_written_alike_is_nobody():
    assert match_names(["001", "1"], ["001"]) == {"001": "001"}
