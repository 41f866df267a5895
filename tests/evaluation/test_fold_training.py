"""A fold is trained once, resumed where it stopped, and never taken for another."""

import csv
import json

import numpy as np
import pytest
import torch

from scripts.data.folds import SubjectFolds
from scripts.errors import InputError
from scripts.evaluation import fold_training
from scripts.evaluation.features import Features
from scripts.evaluation.fold_training import FoldRuns, FoldTraining

SCANS = [{"subject": f"S{number}", "class_label": 1.0} for number in range(6)]
SUBJECTS, LABELS = np.repeat([scan["subject"] for scan in SCANS], 4), torch.arange(24).float() % 2
FOLDS = SubjectFolds(SCANS, 3, 0)


@pytest.fixture
def training(monkeypatch, tmp_path):
    """A function: trainings of folds, each of which writes what a training does; `trained` lists them."""
    trained = []

    def train(self, folder, fold, share, resume):
        trained.append((fold, share, resume))
        folder.mkdir(parents=True, exist_ok=True)
        parts = {name: sorted(part) for name, part in self.folds.parts(fold, share).items()}
        (folder / "split.json").write_text(json.dumps(parts), encoding="utf-8")
        label = LABELS[FOLDS.rows(SUBJECTS, fold)["test"]].tolist()
        with open(folder / "scores.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["scan", "label", "score"], *([0, one, 2 * one] for one in label)])
        (folder / "metrics.json").write_text(json.dumps({"threshold_logit": 0.5}), encoding="utf-8")
        (folder / "checkpoint.pt").touch()
        (folder / "config.json").write_text(json.dumps(self.config), encoding="utf-8")

    def make(labels=LABELS, folds=FOLDS, **config):
        config = {"learning_rate": 0.1, "max_epochs": 3, "label_shares": [], "fold": 0} | config
        monkeypatch.setattr(fold_training, "config_in_use", lambda: config)
        monkeypatch.setattr("scripts.runs.settings.config_in_use", lambda: config)
        return FoldTraining(Features({}, labels, SUBJECTS), folds, 0, tmp_path)

    monkeypatch.setattr(FoldTraining, "_train", train)
    make.trained = trained
    return make


def test_a_fold_gives_its_scores_and_its_threshold(training):
    scores, threshold = training()(1, 1.0)
    assert scores.tolist() == [0, 2] * 4 and threshold == 0.5


def test_a_fold_is_trained_once_for_each_share(training):
    run = training()
    for fold, share in ((0, 1.0), (1, 0.5), (0, 1.0), (1, 0.5), (1, 1.0)):
        run(fold, share)
    assert training.trained == [(0, 1.0, False), (1, 0.5, False), (1, 1.0, False)]


def test_a_fold_that_was_stopped_is_resumed(training, tmp_path):
    training()(0, 1.0)
    (tmp_path / "fold_0_of_1" / "metrics.json").unlink()
    training()(0, 1.0)
    assert training.trained == [(0, 1.0, False), (0, 1.0, True)]


def test_what_decides_nothing_in_a_fold_may_change(training):
    training()(0, 1.0)
    training(label_shares=[0.5], name="other")(0, 1.0)
    assert len(training.trained) == 1


@pytest.mark.parametrize("key", ["learning_rate", "max_epochs"])
def test_other_settings_are_refused(training, key):
    training()(0, 1.0)
    with pytest.raises(InputError, match=f"{key} is 7, but the run in .*fold_0_of_1"):
        training(**{key: 7})(0, 1.0)


def test_a_fold_of_other_subjects_is_refused(training):
    training()(0, 1.0)
    with pytest.raises(InputError, match="fold_0_of_1 was trained on other subjects"):
        training(folds=SubjectFolds(SCANS, 3, 1))(0, 1.0)


def test_a_fold_of_other_crops_is_refused(training):
    training()(0, 1.0)
    with pytest.raises(InputError, match="fold_0_of_1 was scored on other crops"):
        training(labels=1 - LABELS)(0, 1.0)


def test_folds_share_the_scans_for_which_memory_has_no_room(monkeypatch, tmp_path):
    kept_in = {"_target_": "builtins.dict", "spare_dir": "$@output_dir + '/prepared'"}
    fit = {"_target_": "scripts.atomic.write_json_atomically", "path": "$@output_dir + '/told.json'"}
    config = {"output_dir": "elsewhere", "kept_in": kept_in, "fit": fit | {"content": "@kept_in"}}
    monkeypatch.setattr(fold_training, "config_in_use", lambda: config)
    folders = [FoldRuns(FOLDS, 0, tmp_path).trained(fold, 1.0) for fold in (0, 1)]
    told = [json.loads((folder / "told.json").read_text(encoding="utf-8"))["spare_dir"] for folder in folders]
    assert told == [str(tmp_path / "prepared")] * 2 and config["kept_in"] == kept_in
