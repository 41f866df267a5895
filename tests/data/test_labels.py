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
        path.write_text(text)
        return str(path)

    return write


def test_a_scan_is_positive_where_its_mask_has_a_voxel(masked):
    assert [scan["class_label"] for scan in label_by_mask(masked)] == [0.0, 1.0]


def test_scans_without_a_mask_are_left_out(masked):
    assert len(label_by_mask([*masked, SCANS[0]])) == 2


def test_scans_with_lesions_are_those_with_a_voxel(masked):
    assert [scan["subject"] for scan in scans_with_lesions(masked)] == ["1"]


def test_no_lesion_at_all_is_refused(masked):
    with pytest.raises(InputError, match="None of 1 masks has a voxel above 0"):
        scans_with_lesions(masked[:1])


def test_no_mask_at_all_is_refused():
    with pytest.raises(InputError, match="None of the scans has a mask"):
        label_by_mask(SCANS)


def test_a_mask_in_another_grid_is_refused(masked, write_scan):
    write_scan(masked[1]["label"], voxels=np.ones((20, 18, 16)), seed=1)
    with pytest.raises(InputError, match=r"1_seg.nii.gz is not in the grid of .*1.nii.gz: resample"):
        label_by_mask(masked)


def test_a_mask_that_cannot_be_read_is_named(masked):
    with open(masked[1]["label"], "wb") as file:
        file.write(b"no scan")
    with pytest.raises(InputError, match=r"1_seg.nii.gz cannot be read"):
        label_by_mask(masked)


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
        ("subject,label\nsub-A,1\n", r"names none of the subjects \(A, ...\)"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, text, sentence):
    with pytest.raises(InputError, match=sentence):
        label_by_table(SCANS, table(text))


@pytest.mark.parametrize("path", [None, "/no/such.csv"])
def test_a_table_that_is_not_there_is_asked_for(path):
    with pytest.raises(InputError, match="give labels a CSV"):
        label_by_table(SCANS, path)
