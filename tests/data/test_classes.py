"""What label maps mean: which classes, under which numbers and names; or a sentence says why not."""

import json

import numpy as np
import pytest

from scripts.data.classes import (
    class_map,
    classes_of_cohort,
    labelled_scans,
    read_classes,
    require_classes_in_parts,
    write_classes,
)
from scripts.data.structures import Structures
from scripts.errors import InputError

LIVER, KIDNEYS = Structures(("liver",), ((7,),)), Structures(("kidneys", "liver"), ((2, 3), (7,)))


@pytest.fixture
def scans(write_scan, tmp_path):
    """Two scans with label maps: the first has the values 2 and 3, the second 7; and one without."""
    found = []
    for number, values in enumerate([(2, 3), (7,)]):
        voxels = np.zeros((20, 18, 16))
        for place, value in enumerate(values, 4):
            voxels[place, 5, 6] = value
        image = write_scan(tmp_path / f"{number}.nii.gz", seed=0)
        label = write_scan(tmp_path / f"{number}_seg.nii.gz", voxels=voxels, seed=0)
        found.append({"image": str(image), "label": str(label), "subject": str(number)})
    return [*found, {"image": str(image), "subject": "2"}]


@pytest.fixture
def table(tmp_path):
    """A function: path of a table of structures."""

    def write(text):
        (tmp_path / "structures.csv").write_text(f"name,values\n{text}\n", encoding="utf-8")
        return tmp_path / "structures.csv"

    return write


def test_without_a_table_each_value_is_a_class_and_a_warning_says_so(scans, caplog):
    classes = classes_of_cohort(scans)
    assert (classes.names, classes.values) == (("2", "3", "7"), ((2,), (3,), (7,)))
    assert "give --structures a table" in caplog.text


def test_values_have_the_names_of_the_data_set(scans, tmp_path):
    labels = {"background": 0, "left": 2, "right": 3, "liver": 7}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
    assert classes_of_cohort(scans, dataset_dir=tmp_path).names == ("left", "right", "liver")


def test_what_nnunet_ignores_is_warned_of_since_it_would_be_a_class(scans, tmp_path, caplog):
    labels = {"background": 0, "left": 2, "right": 3, "ignore": 7}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
    assert classes_of_cohort(scans, dataset_dir=tmp_path).names == ("left", "right", "ignore")
    assert "7 is called ignore, as nnU-Net calls what nobody drew in" in caplog.text


def test_classes_may_be_given_as_a_table_has_them(scans, caplog):
    assert classes_of_cohort(scans, Structures(("kidneys", "spleen"), ((2, 3), (9,)))).names == ("kidneys", "spleen")
    assert "structures has values that no label map has: 9" in caplog.text


def test_a_table_says_which_values_are_a_class(scans, table, caplog):
    classes = classes_of_cohort(scans, table("kidneys,2 3\nspleen,9"))
    assert (classes.names, classes.values) == (("kidneys", "spleen"), ((2, 3), (9,)))
    assert "has values that no label map has: 9" in caplog.text


def test_a_value_of_two_classes_is_refused(scans, table):
    with pytest.raises(InputError, match="gives 3 to more than one class"):
        classes_of_cohort(scans, table("left,2 3\nright,3"))


def test_scans_without_a_label_map_are_left_out_and_the_others_say_whether_a_class_is_there(scans):
    assert [scan["class_label"] for scan in labelled_scans(scans, LIVER)] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda scans: scans[2:], "None of the scans has a label map"),
        (lambda scans: scans[:1], "None of 1 label maps has a voxel of liver"),
        (lambda scans: [scans[0] | {"label": [scan["label"] for scan in scans[:2]]}], "1 scans have several masks"),
    ],
)
def test_label_maps_that_cannot_be_used_are_refused(scans, change, sentence):
    with pytest.raises(InputError, match=sentence):
        labelled_scans(change(scans), LIVER)


def test_a_part_in_which_nothing_is_drawn_is_refused(scans):
    empty, drawn = labelled_scans(scans, LIVER)
    require_classes_in_parts({"train": [empty, drawn], "validate": [drawn], "test": [drawn]}, LIVER)
    with pytest.raises(InputError, match="None of the scans under 'validate'"):
        require_classes_in_parts({"train": [empty, drawn], "validate": [empty], "test": [drawn]}, LIVER)


def test_a_class_that_no_training_scan_has_is_warned_of_by_name(scans, caplog):
    first, second = labelled_scans(scans, KIDNEYS)
    require_classes_in_parts({"train": [first, second], "validate": [first], "test": [second]}, KIDNEYS)
    assert "training scans" not in caplog.text
    require_classes_in_parts({"train": [first], "validate": [second], "test": [second]}, KIDNEYS)
    assert "None of 1 training scans has liver: what they do not show is not learnt" in caplog.text


def test_a_voxel_has_the_number_of_its_class(scans):
    numbers = class_map(scans[0]["label"], scans[0]["image"], KIDNEYS)
    assert [numbers[4, 5, 6], numbers[5, 5, 6], numbers.sum()] == [1, 1, 2]
    assert class_map(scans[1]["label"], scans[1]["image"], KIDNEYS).max() == 2


def test_a_label_map_of_another_grid_is_named(scans, write_scan, tmp_path):
    other = write_scan(tmp_path / "other.nii.gz", shape=(8, 8, 8))
    with pytest.raises(InputError, match="is not in the grid of"):
        class_map(str(other), scans[0]["image"], LIVER)


def test_classes_are_read_as_they_were_written(tmp_path):
    write_classes(KIDNEYS, tmp_path / "labels.json")
    assert read_classes(tmp_path / "labels.json") == KIDNEYS


def test_a_run_is_not_resumed_with_other_classes(tmp_path):
    write_classes(KIDNEYS, tmp_path / "labels.json")
    (tmp_path / "checkpoint.pt").touch()
    with pytest.raises(InputError, match="has other classes than these label maps"):
        write_classes(LIVER, tmp_path / "labels.json")


@pytest.mark.parametrize("content", [None, "[]", "{}", '{"liver": 7}', '{"liver": []}', "{"])
def test_what_says_no_classes_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "labels.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="does not say what the classes of these weights are"):
        read_classes(tmp_path / "labels.json")
