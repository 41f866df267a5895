"""A page says of what it is, as far as that is known."""

import numpy as np
import pytest

from scripts.reports.head import head_of_evaluation, head_of_run, made, told_epochs

METRICS = {"crops": 160, "scans": 5, "subjects": 4}
PARTS = {
    "train": {"subjects": 15, "scans": 16},
    "validate": {"subjects": 3, "scans": 3},
    "test": {"subjects": 4, "scans": 5},
}


def test_the_data_are_named_with_the_subjects_of_each_part():
    head = head_of_evaluation(METRICS | {"parts": PARTS}, {"dataset_dir": "/my/scans"})
    assert head["data"] == "/my/scans, 24 scans; subjects: 15 for training, 3 for validation, 4 for testing"


@pytest.mark.parametrize(("spacing", "said"), [([2.0, 2.0, 3.5], "2 × 2 × 3.5 mm"), ("$@other", None)])
def test_the_crops_are_told_in_voxels_and_mm(spacing, said):
    head = head_of_evaluation(METRICS, {"dataset_dir": None, "spacing": spacing, "crop_size": [32, 32, 16]})
    assert head["test crops"] == "160 of 5 scans of 4 subjects, 32 × 32 × 16 voxels each"
    assert head.get("spacing") == said and head["data"] == "a synthetic cohort"


def test_epochs_are_those_of_the_losses_and_not_those_that_were_asked_for():
    history = {"epoch": np.array([1.0, 2, 3]), "best": np.array([1.0, 1, 0])}
    head = head_of_run({"_meta_": {"name": "ISImed"}, "max_epochs": 50}, history, "/my/run/encoder.pt")
    assert head == {
        "method": "ISImed",
        "weights": "/my/run/encoder.pt",
        "epochs": "3; the weights of epoch 2 were kept",
    }


def test_with_a_budget_the_crops_that_were_seen_are_told():
    assert told_epochs({"epoch": np.array([1.0, 2]), "crops": np.array([18.0, 36])}) == "2, with 36 crops"


def test_of_weights_without_their_run_nothing_is_said_that_is_not_known():
    assert head_of_run({"max_epochs": 50}, {}, "models/model.pt") == {"weights": "models/model.pt"}
    assert head_of_evaluation(METRICS, {}) == {"test crops": "160 of 5 scans of 4 subjects"}


def test_it_is_dated_in_utc_and_names_versions():
    head = made({"_meta_": {"version": "0.2.0"}})
    assert head["made"].endswith(" UTC") and head["with"].startswith("bundle 0.2.0, MONAI ")
    assert made({})["with"].startswith("MONAI ")
