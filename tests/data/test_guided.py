"""Whose masks guide a training."""

import pytest

from scripts.data.guided import guided_split

TRAIN = [{"subject": f"S{i}", "class_label": float(i % 2), "label": f"{i}.nii"} for i in range(10)]
SPLIT = {"train": [*TRAIN, {"subject": "bare", "class_label": 1.0}], "validate": TRAIN[:1], "test": TRAIN[1:2]}


def guided(share, seed=0):
    return [scan["subject"] for scan in guided_split(SPLIT, share, seed)["train"] if scan["guided"]]


@pytest.mark.parametrize(("share", "number"), [(0, 0), (0.1, 2), (0.5, 6), (1, 10)])
def test_a_share_of_each_class_guides(share, number):
    assert len(guided(share)) == number


def test_a_smaller_share_is_part_of_a_larger_one():
    assert set(guided(0.1)) < set(guided(0.5)) < set(guided(1))


def test_others_have_no_mask():
    train = guided_split(SPLIT, 0.5, 0)["train"]
    assert all(("label" in scan) == bool(scan["guided"]) for scan in train)


def test_who_validates_and_tests_guides_nothing():
    parts = guided_split(SPLIT, 1, 0)
    assert not any(scan["guided"] or "label" in scan for part in ("validate", "test") for scan in parts[part])
