"""Who has a lesion in each scan is not trained on."""

import logging
from pathlib import Path

import numpy as np
import pytest

from scripts.data.lesion_free_split import split_lesion_free
from scripts.errors import InputError

LESIONS = {"A": [0], "B": [0, 1], "C": [1, 0, 1], "D": [1, 1], "E": [1], "F": [1], "G": [1], "H": [1, 1]}
HEALTHY, ILL = set("ABC"), set("DEFGH")


@pytest.fixture
def make_scans(write_scan, tmp_path):
    """A function: scans of subjects, each with a mask that has a lesion voxel or not."""

    def make(lesions):
        scans = []
        for subject, found in lesions.items():
            for number, lesion in enumerate(found):
                image, label = (str(tmp_path / f"{subject}{number}{kind}.nii") for kind in ("", "_seg"))
                voxels = np.zeros((6, 6, 6))
                voxels[1, 2, 3] = lesion
                write_scan(image, shape=(6, 6, 6))
                write_scan(label, voxels=voxels)
                scans.append({"image": image, "label": label, "subject": subject, "scan": len(scans)})
        return scans

    return make


@pytest.fixture
def scans(make_scans):
    return make_scans(LESIONS)


def subjects(part):
    return {scan["subject"] for scan in part}


@pytest.mark.parametrize("seed", range(3))
def test_who_has_a_healthy_scan_is_trained_on_and_the_others_validate_and_test(scans, seed):
    split = split_lesion_free(scans, 2, 3, seed)
    assert list(split) == ["train", "validate", "test"]
    assert subjects(split["train"]) == HEALTHY and len(split["train"]) == 6
    assert (len(subjects(split["validate"])), len(subjects(split["test"]))) == (2, 3)
    assert subjects(split["validate"]) | subjects(split["test"]) == ILL
    assert sorted(scan["scan"] for part in split.values() for scan in part) == list(range(len(scans)))


def test_sizes_may_be_shares_of_the_subjects_with_a_lesion_in_each_scan(scans):
    split = split_lesion_free(scans, 0.4, 0.6, seed=0)
    assert (len(subjects(split["validate"])), len(subjects(split["test"]))) == (2, 3)


def test_who_is_drawn_for_nothing_is_left_out_and_counted(scans, caplog):
    with caplog.at_level(logging.INFO):
        split = split_lesion_free(scans, 1, 2, seed=0)
    assert subjects(split["train"]) == HEALTHY
    assert sum(len(subjects(part)) for part in split.values()) == 6
    assert "of 5 others, 1 validate, 2 test and 2 are left out" in caplog.text


def test_the_seed_draws_the_split_in_any_order_of_scans(scans):
    drawn = [frozenset(subjects(split_lesion_free(scans, 2, 2, seed)["test"])) for seed in range(8)]
    assert len(set(drawn)) > 1
    assert subjects(split_lesion_free(scans[::-1], 2, 2, seed=0)["test"]) == drawn[0]


def test_more_subjects_than_have_a_lesion_in_each_scan_are_refused(scans):
    with pytest.raises(InputError, match="5 subjects have a lesion in each scan, too few for 3 to validate and 4"):
        split_lesion_free(scans, 3, 4, seed=0)


def test_a_cohort_without_a_healthy_scan_leaves_nobody_to_train_on(make_scans):
    with pytest.raises(InputError, match="no subject is left to train on"):
        split_lesion_free(make_scans({"D": [1], "E": [1, 1]}), 1, 1, seed=0)


@pytest.mark.parametrize("size", [0, 2.5])
def test_a_size_that_is_neither_share_nor_number_is_refused(scans, size):
    with pytest.raises(InputError, match=f"val_size is {size}: give a share"):
        split_lesion_free(scans, size, 1, seed=0)


def test_a_mask_that_cannot_be_read_is_named(scans):
    Path(scans[5]["label"]).write_bytes(b"no NIfTI")
    with pytest.raises(InputError, match=r"C2_seg\.nii cannot be read"):
        split_lesion_free(scans, 1, 1, seed=0)


def test_scans_without_masks_are_refused(scans):
    del scans[3]["label"]
    with pytest.raises(InputError, match=r"C0\.nii has no mask"):
        split_lesion_free(scans, 1, 1, seed=0)
