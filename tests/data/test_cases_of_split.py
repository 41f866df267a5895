"""Scans that were split file by file are put together to cases."""

import logging

from scripts.data.cases_of_split import cases_of_split
from scripts.errors import InputError

SPLIT = {
    "train": [{"image": "A_t1", "subject": "A"}, {"image": "A_t2", "subject": "A"}],
    "validate": [{"image": "B_t2", "subject": "B"}],
    "test": [{"image": "C_t2", "subject": "same as B"}],
}


def cases():
    """Of A and C two images, of B another one that is not in the split, and of D nothing that is."""
    return [
        {
            "image": f"{name}_t1",
            "subject": name,
            "modalities": {key: f"{name}_{key}" for key in ("t1", "t2")},
            "synthetic": [],
            "scan": i,
        }
        for i, name in enumerate("ABCD")
    ]


def test_a_case_has_the_images_and_is_of_the_part_and_the_subject_that_the_split_says():
    found = cases_of_split(SPLIT, cases)
    assert found["train"] == cases()[:1]
    assert found["validate"] == [cases()[1] | {"image": "B_t2", "modalities": {"t2": "B_t2"}}]
    assert [case["subject"] for case in found["test"]] == ["same as B"]


def test_a_synthetic_image_that_a_list_named_as_a_scan_is_in_no_question():
    made = [case | {"synthetic": ["t2"]} for case in cases()]
    found = cases_of_split(SPLIT, lambda: made)
    assert [case["modalities"] for case in found["train"]] == [{"t1": "A_t1"}] and not found["test"]


def test_scans_that_make_no_cases_have_none_and_the_log_says_why(caplog):
    def find():
        raise InputError("Fewer than two modalities.")

    with caplog.at_level(logging.INFO):
        assert cases_of_split(SPLIT, find) is None
    assert "Fewer than two modalities" in caplog.text
