"""Which structures a cohort's label maps have."""

import itertools

import nibabel
import numpy as np
import pytest

from scripts.data.structures import Structures, read_structures, structures_of_cohort
from scripts.errors import InputError


@pytest.fixture
def split(write_scan, tmp_path):
    """A function: a split of subjects whose label maps have these values; None for those without a map."""

    def make(**parts):
        numbers = itertools.count()
        return {
            part: [item(part, i, values) | {"scan": next(numbers)} for i, values in enumerate(whose)]
            for part, whose in parts.items()
        }

    def item(part, i, values):
        image = write_scan(tmp_path / f"{part}{i}.nii.gz", (8, 8, 8))
        scan = {"image": str(image), "subject": f"{part}{i}"}
        if values is None:
            return scan
        voxels = np.zeros((8, 8, 8), np.int16)
        voxels.flat[: len(values)] = values
        path = tmp_path / f"{part}{i}_label.nii.gz"
        nibabel.save(nibabel.Nifti1Image(voxels, nibabel.load(image).affine), path)
        return scan | {"label": str(path)}

    return make


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "table.csv").write_text(text, encoding="utf-8")
        return tmp_path / "table.csv"

    return write


def test_each_value_that_half_of_the_training_subjects_have_is_a_structure(split, caplog):
    caplog.set_level("INFO")
    found = structures_of_cohort(split(train=[[3, 501], [3, 501, 9], [3], [3, 8], None], test=[[3, 77]]))
    assert (found.names, found.values) == (("3", "501"), ((3,), (501,)))
    assert found.scans == {0, 1, 2, 3, 5} and found.left_out == 2
    assert "2 structures, which at least half of 4 labelled training subjects have" in caplog.text


def test_what_nobody_called_structures_is_a_warning_that_says_how_to_do_without(split, table, caplog):
    parts = split(train=[[1, 2, 4], [1, 2, 4]], test=[[1, 2, 4]])
    structures_of_cohort(parts, table("name,values\ncore,1\nwhole,1 2 4\n"))
    assert not caplog.records
    structures_of_cohort(parts)
    (said,) = caplog.messages
    assert "each value (1, 2, 4) of the masks of 2 scans (train0_label.nii.gz, train1_label.nii.gz)" in said
    assert "--structures none" in said
    assert structures_of_cohort(parts, "none") == Structures()


def test_a_table_names_and_groups_values_and_what_is_not_there_is_told(split, table, caplog):
    path = table("name,values\nhippocampus,47 48\nleft,47\nrare,5\n")
    found = structures_of_cohort(split(train=[[47, 48], [48, 47]], test=[[1]]), path)
    assert (found.names, found.values) == (("hippocampus", "left"), ((47, 48), (47,)))
    values, rare = caplog.messages
    assert values.endswith("has values that no training label map has: 5. Correct what is mistyped.")
    assert rare == "Left out, as fewer than half of the labelled training subjects have them: rare."


@pytest.mark.parametrize(
    "parts",
    [
        {"train": [None, None], "test": [None]},
        {"train": [[1], [1]], "test": [[1]]},
        {"train": [[1, 2], [1, 2]], "test": [None]},
        {"train": [[1, 2], None], "test": [[1, 2]]},
    ],
    ids=["no maps", "masks", "no test subject", "one training subject"],
)
def test_too_few_label_maps_are_none(split, table, parts):
    assert structures_of_cohort(split(**parts)) == Structures()
    with pytest.raises(InputError, match="names 1 structures"):
        structures_of_cohort(split(**parts), table("name,values\nliver,1\n"))


def test_a_label_map_that_cannot_be_read_leaves_its_scan_out(split, caplog):
    parts = split(train=[[1, 2], [1, 2], [1, 2]], test=[[1, 2]])
    path = parts["train"][1]["label"]
    nibabel.save(nibabel.Nifti1Image(np.full((8, 8, 8), 1.5), nibabel.load(path).affine), path)
    assert structures_of_cohort(parts).scans == {0, 2, 3}
    assert path in caplog.text and "not whole" in caplog.text


def test_several_masks_of_a_scan_leave_it_out_and_not_its_subjects_other_scans(split, caplog):
    parts = split(train=[[1, 2], [1, 2], [1, 2]], test=[[1, 2]])
    first, second, _ = parts["train"]
    second |= {"subject": first["subject"], "label": [second["label"], first["label"]]}
    assert structures_of_cohort(parts).scans == {0, 2, 3}
    assert f"{second['label'][0]} and 1 more of {second['image']} are several masks" in caplog.text


def test_membership_of_values():
    members = Structures(("a", "b"), ((1, 3), (3, 900))).members(4)
    assert members.tolist() == [[False, False], [True, False], [False, False], [True, True], [False, False]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,number\na,1\n", "needs the columns name and values"),
        ("name,values\na,1\nb,2;3\n", "line 3: values is '2;3', not whole numbers above 0"),
        ("name,values\na,0\n", "line 2: values is '0'"),
        ("name,values\na\n", "line 2: values is 'None'"),
        ("name,values\na,1\na,2\n", "has a more than once"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_in_one_sentence(table, text, sentence):
    with pytest.raises(InputError, match=sentence):
        read_structures(table(text))


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"structures is .*gone\.csv, which cannot be read"):
        read_structures(tmp_path / "gone.csv")
