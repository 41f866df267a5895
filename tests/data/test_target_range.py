"""The range of what is made is one for all scans, and known beside the weights."""

import numpy as np
import pytest

from scripts.data.target_range import find_target_range, read_target_range, write_target_range
from scripts.errors import InputError


@pytest.fixture
def scans(write_scan, tmp_path):
    """Two scans, full of values from 0 to 1 and to 2."""
    return [
        {"target": str(write_scan(tmp_path / f"{top}.nii.gz", voxels=top * np.random.rand(20, 20, 20)))}
        for top in (1, 2)
    ]


def test_the_range_holds_the_percentiles_of_all_training_scans(scans):
    low, high = find_target_range(scans, "target", "t2")
    assert 0 < low < 1 and high == pytest.approx(1.98, abs=0.03)


@pytest.mark.parametrize("name", ["ct", "CT"])
def test_a_ct_has_the_range_from_air_to_dense_bone_whatever_the_scans(scans, name):
    assert find_target_range(scans, "target", name) == (-1000, 1000)


def test_a_range_that_is_given_is_that(scans):
    assert find_target_range(scans, "target", "ct", [-200, 300]) == (-200, 300)


@pytest.mark.parametrize("given", [[1, 1], [2, 1], [1], [1, 2, 3]])
def test_what_is_no_range_is_refused(scans, given):
    with pytest.raises(InputError, match="give two numbers, the lower one first"):
        find_target_range(scans, "target", "ct", given)


def test_weights_that_make_something_else_are_refused(tmp_path):
    write_target_range((-200.0, 300.0), "ct", tmp_path / "target.json")
    assert read_target_range(tmp_path / "target.json", "ct") == (-200, 300)
    with pytest.raises(InputError, match=r"target is pet, but by .*target\.json the weights make ct"):
        read_target_range(tmp_path / "target.json", "pet")
    with pytest.raises(InputError, match=r"There is no .*other/target\.json"):
        read_target_range(tmp_path / "other" / "target.json", "ct")


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "5",
        '{"modality": "ct"}',
        '{"range": [0, 1]}',
        '{"modality": "ct", "range": [1, 0]}',
        '{"modality": "ct", "range": "x"}',
    ],
)
def test_a_file_that_says_no_range_is_named(tmp_path, content):
    (tmp_path / "target.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"target\.json has no modality and range of two numbers"):
        read_target_range(tmp_path / "target.json", "ct")
