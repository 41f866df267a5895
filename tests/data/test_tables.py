"""What tables say of persons, as numbers, whatever way they are written; or a sentence says why not."""

import csv
import logging

import numpy as np
import pytest

from scripts.data.phantom import make_cohort
from scripts.data.tables import read_tables, scans_of_persons, shuffled_tables
from scripts.errors import InputError

SCANS = [{"image": f"{name}{eye}.nii", "subject": name} for name in "ABCDE" for eye in (1, 2)]


@pytest.fixture
def write(tmp_path):
    """A function: path of a table with this text."""

    def write(text, name="blood.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def read(*paths, **settings):
    return read_tables(paths, SCANS, **settings)


def cells(table):
    """Its values by person and column; None where there is none."""
    values = [[None if np.isnan(value) else float(value) for value in row] for row in table.values]
    return {
        person: dict(zip(table.columns, row, strict=True)) for person, row in zip(table.persons, values, strict=True)
    }


def test_numbers_stay_as_they_are_and_texts_become_a_column_of_0_and_1_each(write):
    (table,) = read(write("subject,age,sex\nA,70,F\nB,61.5,M\nC,1e1,F\n"))
    assert (table.name, table.values.dtype) == ("blood", np.float32)
    assert cells(table) == {
        "A": {"age": 70, "sex=F": 1, "sex=M": 0},
        "B": {"age": 61.5, "sex=F": 0, "sex=M": 1},
        "C": {"age": 10, "sex=F": 1, "sex=M": 0},
    }


@pytest.mark.parametrize("nothing", ["", "n/a", "NA", "NaN", "null", " ", "None"])
def test_a_missing_number_is_missing_and_not_0(write, nothing):
    (table,) = read(write(f"subject,age,weight\nA,70,60\nB,{nothing},61\nC,60,62\n"))
    assert cells(table)["B"] == {"age": None, "weight": 61}


def test_a_missing_text_is_missing_in_each_of_its_columns(write):
    (table,) = read(write("subject,age,sex\nA,70,F\nB,61,n/a\nC,60,M\n"))
    assert cells(table)["B"] == {"age": 61, "sex=F": None, "sex=M": None}


def test_numbers_that_are_names_become_categories_where_they_are_named(write):
    (table,) = read(write("subject,cluster\nA,1\nB,2.0\nC,1.0\n"), categories=["cluster"])
    assert cells(table)["C"] == {"cluster=1": 1, "cluster=2": 0}


def test_what_says_nothing_is_left_out_and_the_log_says_so_in_one_line(write, caplog):
    rows = [f"{name},{i + 60},{'FM'[i % 2]},{name}x," for i, name in enumerate("ABCDXY")]
    with caplog.at_level(logging.INFO):
        (table,) = read(write("subject,age,sex,id,notes\n" + "\n".join(rows)))
    assert table.columns == ["age", "sex=F", "sex=M"]
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "INFO"]
    assert line == (
        "blood: 4 persons of 5 with scans; 1 number, 1 category (2 columns), 0% of cells missing; left out: id (a "
        "different text for each person), notes (empty)."
    )


def test_what_is_alike_for_all_stays_since_others_may_differ_in_it(write):
    (table,) = read(write("subject,iron,site\nA,3,HH\nB,3,HH\n"))
    assert cells(table) == {name: {"iron": 3, "site=HH": 1} for name in "AB"}


def test_kinds_that_differ_in_case_alone_are_told(write, caplog):
    (table,) = read(write("subject,ill\nA,Yes\nB,yes\nC,no\nD,no\nE,Yes\nF,no\n"))
    assert table.columns == ["ill=Yes", "ill=no", "ill=yes"]
    assert "ill has Yes, yes, which count as 2 categories" in caplog.text


def test_which_column_is_what_does_not_depend_on_who_has_scans(write):
    (table,) = read(write("subject,sex,site\nA,F,1\nB,F,1\nC,F,1\nX,M,2\n"))
    assert table.columns == ["site", "sex=F", "sex=M"]


def test_persons_of_whom_nothing_is_known_are_not_in_the_table(write):
    (table,) = read(write("subject,age\nA,70\nB,\nC,60\n"))
    assert table.persons == ["A", "C"]


def test_names_that_a_spreadsheet_changed_are_found(write):
    scans = [{"subject": name} for name in ("sub-001", "sub-002")]
    (table,) = read_tables([write("participant_id\tage\n1\t70\n2\t60\n", "blood.tsv")], scans)
    assert table.persons == ["sub-001", "sub-002"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("subject,age\nA,70\nB,old\nC,60\n", "age in .* has numbers and, of 1 persons, old: write n/a"),
        ("subject,age\nA,70\nB,1e999\nC,60\n", "age in .* has numbers and, of 1 persons, 1e999: write n/a"),
        ("subject,age\nA,70\nB,60\nA,71\n", "age of A in .* is both 70 and 71: leave one"),
        ("subject,sex\nA,F\nB,M\nA,M\n", "sex of A in .* is both F and M: leave one"),
        ("subject,age,age\nA,70,1\nB,60,2\n", "has two columns age"),
        ("subject,age\nA,1,5\nB,60\n", "has 2 cells of A in 1 columns: quote texts with commas"),
        ("id,age\nA,70\n", "has no column subject or participant_id: give subject_column one of id, age"),
        ("subject,age\nX,70\nY,60\n", "names none of the subjects"),
        ("subject,age\nA,\nB,\n", r"says nothing of those who have scans \(age \(empty\)\): give it"),
        ('subject,age\nA,"70,5"\nB,"61,2"\nC,"60,1"\n', "age \\(a different text for each person\\)"),
        ("subject,age\nA,70\nB,60\n,50\n", "has a line without a person: 50"),
        ("subject,age\n", "has no line below the first: give tables"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(write, text, sentence):
    with pytest.raises(InputError, match=sentence):
        read(write(text))


@pytest.mark.parametrize("paths", [None, "null", []])
def test_tables_that_are_not_given_are_asked_for(paths):
    with pytest.raises(InputError, match="No tables are given: give tables a list of CSV or TSV files"):
        read_tables(paths, SCANS)


def test_a_column_that_is_called_as_a_category_of_another_would_be_is_refused(write):
    with pytest.raises(InputError, match=r"has a column sex=F: rename it without ="):
        read(write("subject,sex=F,sex\nA,1,F\nB,0,M\nC,1,F\n"))


def test_a_line_that_is_there_twice_counts_once(write):
    (table,) = read(write("subject,age,sex\nA,70,F\nB,,M\nB,,M\n"))
    assert table.persons == ["A", "B"]


def test_lines_of_nobody_that_say_nothing_are_passed_over(write, caplog):
    (table,) = read(write("subject,age,sex\nA,70,F\nB,60,M\n,,\n ,,\n"))
    assert table.persons == ["A", "B"] and "WARNING" not in caplog.text


def test_two_tables_of_one_name_are_refused(write, tmp_path):
    (tmp_path / "other").mkdir()
    paths = write("subject,age\nA,70\nB,60\n"), write("subject,age\nA,70\nB,60\n", "other/blood.csv")
    with pytest.raises(InputError, match="Two tables are called blood: rename a file"):
        read(*paths)


def test_a_table_that_is_called_as_a_metric_is_is_refused(write):
    with pytest.raises(InputError, match="A table cannot be called size, as metrics are: rename the file"):
        read(write("subject,age\nA,70\nB,60\n", "size.csv"))


@pytest.mark.parametrize(("persons", "expected"), [("outer", "ABC"), ("inner", "B")])
def test_scans_of_those_in_one_table_or_in_all_have_the_number_of_their_person(write, persons, expected):
    tables = read(write("subject,age\nA,70\nB,60\n"), write("subject,iron\nB,5\nC,6\n", "iron.csv"))
    scans = scans_of_persons(SCANS, tables, persons)
    assert [(scan["subject"], scan["person"]) for scan in scans] == [
        (subject, number) for number, subject in enumerate(expected) for _ in range(2)
    ]


def test_nobody_in_all_tables_is_refused(write):
    tables = read(write("subject,age\nA,70\nB,60\n"), write("subject,iron\nD,5\nC,6\n", "iron.csv"))
    with pytest.raises(InputError, match="No person is in all tables: give persons outer"):
        scans_of_persons(SCANS, tables, "inner")


def test_in_shuffled_tables_nobody_has_their_own_line(write):
    tables = read(write("subject,age\nA,1\nB,2\nC,3\nD,4\nE,5\n"))
    (shuffled,) = shuffled_tables(tables, seed=0)
    before, after = cells(tables[0]), cells(shuffled)
    assert before.keys() == after.keys() and all(before[person] != after[person] for person in before)
    assert cells(shuffled_tables(tables, seed=0)[0]) == after


@pytest.mark.usefixtures("unseen_bodies")
def test_the_synthetic_cohort_has_a_table_of_what_its_bodies_are_like(tmp_path):
    folder = make_cohort(tmp_path / "cohort", subjects=3)
    with open(folder / "bodies.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (table,) = read_tables([str(folder / "bodies.csv")], [{"subject": row["subject"]} for row in rows])
    assert len(table.columns) == 34 and not np.isnan(table.values).any()
    assert cells(table)["phantom_001"]["liver_ml"] == pytest.approx(float(rows[1]["liver_ml"]))
