"""Every score is of a classifier that has seen nothing of its subject, and stands beside its baselines'."""

import csv
import dataclasses
import functools
import logging
import sys

import numpy as np
import pytest
import torch

from scripts.data.folds import SubjectFolds
from scripts.errors import InputError
from scripts.evaluation.cross_validation import Probes, cross_validate, fold_metrics
from scripts.evaluation.features import Features
from scripts.metrics.fold_statistics import bootstrap_interval

SCANS = [{"scan": number, "subject": f"S{number:02}", "class_label": 1.0} for number in range(20)]
FOLDS = SubjectFolds(SCANS, 5, 0)
SUBJECTS = np.array([scan["subject"] for scan in SCANS for _ in range(12)])
LABELS = (torch.arange(240) % 2).float()


@pytest.fixture(autouse=True)
def _few_resamplings(monkeypatch):
    few = functools.partial(bootstrap_interval, repeats=50)
    monkeypatch.setattr("scripts.evaluation.cross_validation.bootstrap_interval", few)


def features(**shown):
    """Features of 20 subjects with 12 crops each, each of which shows the label so much."""
    return Features(
        {name: torch.randn(240, 5) + much * LABELS[:, None] for name, much in shown.items()}, LABELS, SUBJECTS
    )


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def mean_auc(rows, name):
    return np.mean([float(row["auc"]) for row in rows if row["encoder"] == name])


def test_the_table_has_a_row_for_each_encoder_and_fold(tmp_path):
    cross_validate(features(mine=2, position=0), FOLDS, [], tmp_path)
    rows, scores = read(tmp_path / "cross_validation.csv"), read(tmp_path / "scores.csv")
    metrics = ["auc", "average_precision", "sensitivity", "specificity"]
    assert list(rows[0]) == ["encoder", "fold", *metrics, "positives", "negatives", "subjects", "layers"]
    assert [(row["encoder"], row["fold"]) for row in rows] == [
        (name, str(fold)) for name in ("mine", "position") for fold in range(5)
    ]
    assert {(row["positives"], row["negatives"], row["subjects"]) for row in rows} == {("24", "24", "4")}
    assert len(scores) == 240 and list(scores[0]) == ["subject", "fold", "label", "mine", "position"]
    assert not (tmp_path / "label_efficiency.csv").exists()


def test_what_shows_the_label_finds_it_and_what_does_not_does_not(tmp_path):
    cross_validate(features(mine=2, position=0), FOLDS, [], tmp_path)
    rows = read(tmp_path / "cross_validation.csv")
    assert mean_auc(rows, "mine") > 0.95 and abs(mean_auc(rows, "position") - 0.5) < 0.15
    mine = [row for row in rows if row["encoder"] == "mine"]
    assert all(float(row["sensitivity"]) > 0.8 and float(row["specificity"]) > 0.8 for row in mine)


def test_an_encoder_that_loses_to_a_baseline_is_said_to(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        cross_validate(features(mine=0, position=2), FOLDS, [], tmp_path)
    assert "mine does not beat position alone" in caplog.text


def test_layers_stand_in_the_table_and_the_untrained_encoder_is_called_so(tmp_path, caplog):
    known = dataclasses.replace(features(mine=0, untrained=2), layers={"mine": "early", "untrained": "early"})
    known.values["position"] = torch.randn(240, 5)
    with caplog.at_level(logging.INFO):
        cross_validate(known, FOLDS, [], tmp_path)
    layers = {row["encoder"]: row["layers"] for row in read(tmp_path / "cross_validation.csv")}
    assert layers == {"mine": "early", "untrained": "early", "position": ""}
    assert "mine does not beat the untrained encoder: " in caplog.text


def test_lesions_of_each_size_have_a_row_where_their_size_is_known(tmp_path):
    known = dataclasses.replace(features(mine=2), lesion_ml=5 * LABELS)
    cross_validate(known, FOLDS, [], tmp_path)
    rows = read(tmp_path / "strata.csv")
    aucs = [float(row["auc"]) for row in rows if row["positives"] == "120"]
    assert aucs == [pytest.approx(mean_auc(read(tmp_path / "cross_validation.csv"), "mine"))]
    assert [row["positives"] for row in rows] == ["0", "120", "0"]


def test_a_fold_with_one_label_is_named_and_no_mean_is_over_it(tmp_path, caplog):
    label = LABELS.clone()
    label[torch.from_numpy(FOLDS.rows(SUBJECTS, 3)["test"])] = 0
    shown = Features({"mine": torch.randn(240, 5) + 2 * label[:, None]}, label, SUBJECTS)
    with caplog.at_level(logging.INFO):
        cross_validate(shown, FOLDS, [], tmp_path)
    assert "What fold 3 tests has one class label alone" in caplog.text
    assert "over 4 of 5 folds with 4 test subjects each." in caplog.text
    mean = np.mean([float(row["auc"]) for row in read(tmp_path / "cross_validation.csv") if row["fold"] != "3"])
    assert f"mine: AUC {mean:.3f} (95 %" in caplog.text


@pytest.mark.parametrize("folds, said", [(6, "(95 % from "), (7, "(too few subjects for an interval) over 7 folds")])
def test_folds_of_two_subjects_have_no_interval(tmp_path, caplog, folds, said):
    with caplog.at_level(logging.INFO):
        cross_validate(features(position=0), SubjectFolds(SCANS, folds, 0), [], tmp_path)
    (line,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("position: AUC")]
    assert said in line


def test_a_score_does_not_depend_on_the_labels_of_its_fold():
    known = features(mine=0.3)
    before, threshold = Probes(known, FOLDS, "mine")(2, 1.0)
    mine = torch.from_numpy(FOLDS.rows(SUBJECTS, 2)["test"])
    turned = Features(known.values, torch.where(mine, 1 - LABELS, LABELS), SUBJECTS)
    after, other = Probes(turned, FOLDS, "mine")(2, 1.0)
    assert torch.allclose(before, after, atol=1e-9) and threshold == pytest.approx(other)


def test_with_fewer_labels_fewer_subjects_are_trained_on(tmp_path):
    cross_validate(features(mine=2), FOLDS, [0.1, 0.5], tmp_path)
    rows = read(tmp_path / "label_efficiency.csv")
    assert [(row["label_share"], row["training_subjects"]) for row in rows[:3]] == [
        ("0.1", "2"),
        ("0.5", "6"),
        ("1.0", "12"),
    ]
    full = [row["auc"] for row in rows if row["label_share"] == "1.0"]
    assert full == [row["auc"] for row in read(tmp_path / "cross_validation.csv")]


def test_classifiers_of_other_kinds_come_first(tmp_path):
    asked = []

    def trained(fold, share):
        asked.append((fold, share))
        return LABELS[torch.from_numpy(FOLDS.rows(SUBJECTS, fold)["test"])], 0.5

    cross_validate(features(position=0), FOLDS, [], tmp_path, trained={"theirs": trained})
    assert asked == [(fold, 1.0) for fold in range(5)]
    assert list(read(tmp_path / "scores.csv")[0])[3:] == ["theirs", "position"]
    assert mean_auc(read(tmp_path / "cross_validation.csv"), "theirs") == 1


def test_a_fold_without_lesions_has_no_auc():
    metrics = fold_metrics(torch.randn(5), torch.zeros(5), 0.0)
    assert np.isnan(metrics["auc"]) and np.isnan(metrics["sensitivity"]) and metrics["specificity"] >= 0


def test_one_label_alone_teaches_nothing_and_that_is_said():
    known = features(mine=1)
    with pytest.raises(InputError, match="All that fold 2 trains on, with 50% of its subjects, has the label 1"):
        Probes(Features(known.values, torch.ones(240), SUBJECTS), FOLDS, "mine")(2, 0.5)


def test_a_classifier_is_not_mistaken_for_a_baseline(tmp_path):
    with pytest.raises(InputError, match="cannot be called position, as a baseline is"):
        cross_validate(features(position=0), FOLDS, [], tmp_path, trained={"position": None})


def test_without_scikit_learn_nothing_is_trained_in_vain(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    trained = {"theirs": lambda fold, share: pytest.fail("a fold was trained")}
    with pytest.raises(InputError, match="pip install scikit-learn"):
        cross_validate(features(position=0), FOLDS, [], tmp_path, trained=trained)
