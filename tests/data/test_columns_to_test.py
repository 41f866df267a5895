"""Columns of tables side by side, with covariates apart, of the persons who have scans."""

import numpy as np
import pytest

from scripts.data.columns_to_test import columns_to_test, scans_to_test
from scripts.data.person_table import PersonTable
from scripts.errors import InputError

NAN = np.nan
BLOOD = PersonTable("blood", ["a", "b", "c"], ["iron", "age"], np.array([[1, 50], [2, 60], [3, NAN]], np.float32))
PEOPLE = PersonTable("people", ["c", "b"], ["sex=F", "sex=M"], np.array([[1, 0], [0, 1]], np.float32))
SCANS = [{"subject": name} for name in "cbbad"]


def names(scans):
    return [scan["subject"] for scan in scans]


def test_tables_stand_side_by_side():
    found = columns_to_test(scans_to_test(SCANS, [BLOOD, PEOPLE]), [BLOOD, PEOPLE])
    assert found.subject == ["a", "b", "c"] and found.covariates.shape == (3, 0)
    assert found.table == ["blood"] * 2 + ["people"] * 2 and found.column == ["iron", "age", "sex=F", "sex=M"]
    expected = [[1, 50, NAN, NAN], [2, 60, 0, 1], [3, NAN, 1, 0]]
    assert np.array_equal(found.values, expected, equal_nan=True)


def test_covariates_are_known_of_all_and_not_tested(caplog):
    scans = scans_to_test(SCANS, [BLOOD, PEOPLE], ["age"])
    assert names(scans) == ["b", "b", "a"] and "1 persons have no age and are left out: c" in caplog.text
    found = columns_to_test(scans, [BLOOD, PEOPLE], ["age"])
    assert found.column == ["iron", "sex=F", "sex=M"] and found.covariates.tolist() == [[50], [60]]
    assert np.array_equal(found.values, [[1, NAN, NAN], [2, 0, 1]], equal_nan=True)


def test_a_category_is_one_covariate():
    scans = scans_to_test(SCANS, [BLOOD, PEOPLE], ["sex"])
    found = columns_to_test(scans, [BLOOD, PEOPLE], ["sex"])
    assert found.subject == ["b", "c"] and found.covariates.tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    "tables, covariates, why",
    [
        ([BLOOD], ["weight"], "No table has a column weight: correct covariates"),
        ([BLOOD, PersonTable("more", ["a"], ["age"], np.ones((1, 1)))], ["age"], "blood and more have a column age"),
    ],
)
def test_covariates_that_cannot_be_are_refused(tables, covariates, why):
    with pytest.raises(InputError, match=why):
        scans_to_test(SCANS, tables, covariates)


def test_nobody_with_all_covariates_is_refused():
    other = PersonTable("other", ["c"], ["site"], np.ones((1, 1), np.float32))
    with pytest.raises(InputError, match="Nobody has all of age, site"):
        scans_to_test(SCANS, [BLOOD, other], ["age", "site"])


def test_tables_of_covariates_alone_are_refused():
    with pytest.raises(InputError, match="All columns of the tables are covariates"):
        columns_to_test(SCANS, [PEOPLE], ["sex"])
