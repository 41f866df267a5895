"""What a table says is said of the subjects that it means, or a sentence says why not."""

import pytest

from scripts.data.subject_table import read_table, scans_in_table
from scripts.errors import InputError

SCANS = [{"image": f"{name}.nii", "subject": name, "scan": number} for number, name in enumerate("ABC")]


@pytest.fixture
def table(tmp_path):
    """A function: path of a table with this text."""

    def write(text, name="table.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def said(path, *columns, scans=SCANS):
    """By subject, what a table says."""
    found = scans_in_table(scans, read_table(path, columns or ["label"]))
    return {scan["subject"]: scan["table"] for scan in found}


def test_the_columns_that_are_asked_for_are_read(table):
    path = table("age,subject,label\n70,B,1\n20,C, 0\n")
    assert said(path, "label", "age") == {"B": {"label": "1", "age": "70"}, "C": {"label": "0", "age": "20"}}


def test_a_table_of_bids_is_read_as_it_is(table):
    scans = [{"image": "1.nii", "subject": "sub-01"}, {"image": "2.nii", "subject": "sub-02"}]
    path = table("participant_id\tage\nsub-01\t61.5\nsub-02\tn/a\n", "participants.tsv")
    assert said(path, "age", scans=scans) == {"sub-01": {"age": "61.5"}}


def test_any_column_may_name_the_subjects(table):
    found = read_table(table("MRID,label\nA,1\n"), ["label"], "MRID")
    assert found.values == {"A": {"label": "1"}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("subject,label\nA,1\nB,0\nA,0\n", "label of A in .* is both 1 and 0: leave one"),
        ("id,label\nA,1\n", "has no column subject or participant_id: give subject_column one of id, label"),
        ("subject,age\nA,1\n", "has no column label: its columns are subject, age"),
        ("subject,label\n", "has no line below the first"),
        ("subject,label\nX,1\n", r"names none of the subjects \(A, ...\)"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, text, sentence):
    with pytest.raises(InputError, match=sentence):
        said(table(text))


@pytest.mark.parametrize("path", [None, "null", "/no/such.csv"])
def test_a_table_that_is_not_there_is_asked_for(path):
    with pytest.raises(InputError, match="give outcomes a CSV or TSV"):
        read_table(path, ["label"])


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_rows_that_fit_no_scan_are_named_with_a_cure(table, caplog):
    said(table("subject,label\nA,1\nB,0\nC,0\n" + "".join(f"X{number},1\n" for number in range(5))))
    (text,) = warnings(caplog)
    assert "5 subjects of" in text and "have no scan and are left out: X0, X1, X2 and 2 more." in text
    assert "Scans have names such as A: write them so" in text


def test_scans_that_have_no_row_are_named_with_a_cure(table, caplog):
    said(table("subject,label,sex\nA,1,F\nB,,F\nC,1,NA\n"), "label", "sex")
    (text,) = warnings(caplog)
    assert "2 subjects with scans have no label or no sex in" in text and "are left out: B, C. Add it" in text


def test_numbers_that_lost_their_zeros_are_found_and_that_is_said(table, caplog):
    scans = [{"image": f"{name}.nii", "subject": name} for name in ("0001", "0002", "B0003")]
    found = said(table("subject,label\n1,1\n2,0\nB0003,0\n"), scans=scans)
    assert {subject: row["label"] for subject, row in found.items()} == {"0001": "1", "0002": "0", "B0003": "0"}
    (text,) = warnings(caplog)
    assert "is taken to say 1 for 0001, 2 for 0002: if that is wrong, write the names of scans there" in text


def test_a_table_that_fits_gives_no_warning(table, caplog):
    said(table("subject,label\nA,1\nB,0\nC,0\n"))
    assert not warnings(caplog)


def test_none_is_a_class_among_texts_and_that_is_said(table, caplog):
    found = said(table("subject,label\nA,none\nB,mild\nC,severe\n"))
    assert {subject: row["label"] for subject, row in found.items()} == {"A": "none", "B": "mild", "C": "severe"}
    (text,) = warnings(caplog)
    assert text.startswith("label is none in 1 lines of")
    assert text.endswith("which is taken for a class beside mild, severe: write n/a where it is not known.")


def test_none_among_numbers_is_nothing(table):
    assert said(table("subject,label\nA,None\nB,1\nC,2.5\n")).keys() == {"B", "C"}
