"""Any names become parts of files' names that every file system takes and tells apart."""

import re

from scripts.data.names.file_names import as_file_names

NAMES = ["../../etc", "a b", "a_b", "A/B", "a:b\n", "肝臓", "", "x" * 300, "Zähne", "con-1", "landmarks"]


def test_they_are_of_letters_digits_and_two_signs():
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,85}", one) for one in as_file_names(NAMES).values())


def test_no_two_are_one_where_case_does_not_count():
    found = as_file_names(NAMES, taken=["Landmarks"])
    assert list(found) == NAMES
    assert len({one.lower() for one in found.values()} - {"landmarks"}) == len(NAMES)


def test_good_names_stay():
    assert as_file_names(["con-1", "L5_S1"]) == {"con-1": "con-1", "L5_S1": "L5_S1"}
