"""Lesions of each size against all crops without."""

import csv

import numpy as np
import pytest
import torch

from scripts.evaluation.features import Features
from scripts.evaluation.strata import write_strata
from scripts.metrics.fold_statistics import bootstrap_interval

SUBJECTS = np.repeat(np.arange(12), 8)
FOLDS = SUBJECTS % 3
LABELS = torch.arange(96) % 2
# of the positive crops, the first of each subject holds little, the next two more, and the last one much
LESIONS = torch.tensor([0, 0.5, 0, 1, 0, 9.9, 0, 40]).repeat(12)


@pytest.fixture
def strata(tmp_path):
    """A function: rows of strata.csv by their stratum, of scores."""

    def write(scores, labels=LABELS, lesions=LESIONS):
        features = Features({}, labels.float(), SUBJECTS, lesions, {"mine": "early"})
        write_strata(tmp_path, features, FOLDS, {"mine": scores})
        with open(tmp_path / "strata.csv", encoding="utf-8", newline="") as file:
            return {row["stratum"]: row for row in csv.DictReader(file)}

    return write


def test_each_stratum_has_its_crops_and_all_negative_ones(strata):
    rows = strata(np.random.RandomState(0).randn(96))
    counted = [(row["positives"], row["negatives"], row["subjects"]) for row in rows.values()]
    assert counted == [("12", "48", "12"), ("24", "48", "12"), ("12", "48", "12")]
    assert {(row["encoder"], row["layers"]) for row in rows.values()} == {("mine", "early")}


def test_what_finds_large_lesions_alone_is_said_to(strata):
    rows = strata(LESIONS.numpy() * (LESIONS.numpy() >= 10) + np.random.RandomState(0).rand(96))
    assert float(rows["10 ml and more"]["auc"]) == 1 and abs(float(rows["below 1 ml"]["auc"]) - 0.5) < 0.2


def test_the_interval_is_of_the_same_crops(strata):
    scores, chosen = np.random.RandomState(0).randn(96), ((LABELS == 0) | (LESIONS >= 10)).numpy()
    interval = bootstrap_interval(scores[chosen], LABELS.numpy()[chosen], SUBJECTS[chosen], FOLDS[chosen])
    row = strata(scores)["10 ml and more"]
    assert (float(row["low"]), float(row["high"])) == pytest.approx(interval)


def test_a_stratum_of_few_subjects_has_no_interval_and_an_empty_one_no_auc(strata):
    lesions = torch.where((LESIONS >= 10) & (torch.from_numpy(SUBJECTS) > 2), 5, LESIONS)
    rows = strata(np.random.RandomState(0).randn(96), lesions=lesions.where(lesions != 0.5, 5))
    assert rows["10 ml and more"]["low"] == "nan" != rows["10 ml and more"]["auc"]
    assert rows["below 1 ml"]["auc"] == "nan" and rows["below 1 ml"]["positives"] == "0"


def test_where_nobody_knows_how_much_lesion_there_is_no_table_and_an_old_one_goes(tmp_path):
    (tmp_path / "strata.csv").touch()
    write_strata(tmp_path, Features({}, LABELS.float(), SUBJECTS), FOLDS, {"mine": np.zeros(96)})
    assert not (tmp_path / "strata.csv").exists()


def test_folds_in_which_few_subjects_have_such_lesions_have_no_interval(strata):
    """One fold has large lesions in two subjects alone, though it has four."""
    large = (LESIONS >= 10) & ~((torch.from_numpy(FOLDS) == 0) & (torch.from_numpy(SUBJECTS) > 3))
    rows = strata(np.random.RandomState(0).randn(96), lesions=torch.where((LESIONS >= 10) & ~large, 5, LESIONS))
    assert (rows["10 ml and more"]["subjects"], rows["10 ml and more"]["low"]) == ("10", "nan")
    assert rows["1 to 10 ml"]["low"] != "nan"
