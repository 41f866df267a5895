"""A scan is labelled by its mask or by a table, or a sentence says why not."""

import numpy as np
import pytest

from scripts.data.labels import label_by_mask, label_by_table, scans_with_lesions
from scripts.errors import InputError

SCANS = [{"image": f"{name}.nii", "subject": name, "scan": number} for number, name in enumerate("ABC")]


@pytest.fixture
def masked(write_scan, tmp_path):
    """Two scans, the mask of the second of which has a voxel."""
    scans = []
    for number in range(2):
        voxels = np.zeros((20, 18, 16))
        voxels[3, 4, 5] = number
        image, label = tmp_path / f"{number}.nii.gz", tmp_path / f"{number}_seg.nii.gz"
        write_scan(image, seed=0)
        write_scan(label, voxels=voxels, seed=0)
        scans.append({"image": str(image), "label": str(label), "subject": str(number)})
    return scans


@pytest.fixture
def table(tmp_path):
    """A function: path of a table with this text."""

    def write(text):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_scan_is_positive_where_its_mask_has_a_voxel(masked):
    assert [scan["class_label"] for scan in label_by_mask(masked)] == [0.0, 1.0]


def test_scans_without_a_mask_are_left_out(masked):
    assert len(label_by_mask([*masked, SCANS[0]])) == 2


def test_scans_with_lesions_are_those_with_a_voxel(masked):
    assert [scan["subject"] for scan in scans_with_lesions(masked)] == ["1"]


def test_no_lesion_at_all_is_refused(masked):
    with pytest.raises(InputError, match="None of 1 masks has a lesion"):
        scans_with_lesions(masked[:1])


def test_no_mask_at_all_is_refused():
    with pytest.raises(InputError, match="None of the scans has a mask"):
        label_by_mask(SCANS)


def test_a_table_labels_the_subjects_that_it_names(table):
    labelled = label_by_table(SCANS, table("age,subject,label\n70,B,1\n20,C,0\n30,A,\n"))
    assert [(scan["subject"], scan["class_label"]) for scan in labelled] == [("B", 1), ("C", 0)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("subject,label\nA,yes\n", "has the label yes for A: write 0, 1, or nothing"),
        ("subject,label\nA,1\nB,0\nA,0\n", "has both labels for A"),
        ("id,label\nA,1\n", "lacks the columns subject and label"),
        ("subject,label\n", "lacks the columns subject and label"),
        ("subject,label\nX,1\n", r"names none of the subjects \(A, ...\)"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, text, sentence):
    with pytest.raises(InputError, match=sentence):
        label_by_table(SCANS, table(text))


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_rows_that_fit_no_scan_are_named_with_a_cure(table, caplog):
    label_by_table(SCANS, table("subject,label\nA,1\nB,0\nC,0\n" + "".join(f"X{number},1\n" for number in range(5))))
    (text,) = warnings(caplog)
    assert "5 subjects of" in text and "have no scan and are left out: X0, X1, X2 and 2 more." in text
    assert "Scans have names such as A: write them so" in text


def test_scans_that_have_no_row_are_named_with_a_cure(table, caplog):
    label_by_table(SCANS, table("subject,label\nA,1\nB,\n"))
    (text,) = warnings(caplog)
    assert "2 subjects with scans have no label in" in text and "are left out: B, C. Add them" in text


def test_numbers_that_lost_their_zeros_are_found_and_that_is_said(table, caplog):
    scans = [{"image": f"{name}.nii", "subject": name} for name in ("0001", "0002", "B0003")]
    labelled = label_by_table(scans, table("subject,label\n1,1\n2,0\nB0003,0\n"))
    assert [(scan["subject"], scan["class_label"]) for scan in labelled] == [("0001", 1), ("0002", 0), ("B0003", 0)]
    (text,) = warnings(caplog)
    assert "is taken to say 1 for 0001, 2 for 0002: if that is wrong, write the names of scans there" in text


def test_a_table_that_fits_gives_no_warning(table, caplog):
    label_by_table(SCANS, table("subject,label\nA,1\nB,0\nC,0\n"))
    assert not warnings(caplog)


@pytest.mark.parametrize("path", [None, "/no/such.csv"])
def test_a_table_that_is_not_there_is_asked_for(path):
    with pytest.raises(InputError, match="give labels a CSV"):
        label_by_table(SCANS, path)
