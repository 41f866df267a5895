"""What is said of test crops is what the network says of them, and its threshold knows none of them."""

import csv
import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn

from scripts.data.folds import SubjectFolds
from scripts.engines.batches import PrepareBatch
from scripts.evaluation.classifier import score_baselines, score_classifier
from scripts.evaluation.features import Features
from scripts.inferers.batch import BatchInferer
from scripts.metrics.operating_point import best_threshold

RUN = BatchInferer(PrepareBatch(), SimpleInferer(), "cpu")


def tiny_network():
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(8), nn.Linear(8, 1))


def loader(seed):
    generator, batches = torch.Generator().manual_seed(seed), []
    for scan in range(4):
        label = (torch.arange(6) % 2).float()[:, None]
        image = torch.randn(6, 1, 2, 2, 2, generator=generator) + label[..., None, None, None]
        batches.append({"image": image, "class_label": label, "scan": torch.full((6,), scan)})
    return batches


@pytest.fixture
def scored(tmp_path):
    """A function: score a network, and read what was written."""

    def run(network):
        torch.save(network.state_dict(), tmp_path / "model.pt")
        loaders = {"validate": loader(0), "test": loader(1)}
        weights = str(tmp_path / "model.pt")
        score_classifier(tiny_network(), weights, loaders, RUN, tmp_path)
        with open(tmp_path / "scores.csv", encoding="utf-8", newline="") as file:
            return json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8")), list(csv.DictReader(file))

    return run


def test_each_test_crop_has_the_networks_logit(scored):
    network = tiny_network().eval()
    metrics, rows = scored(network)
    expected = torch.cat([network(batch["image"])[:, 0] for batch in loader(1)])
    assert [float(row["score"]) for row in rows] == pytest.approx(expected.tolist(), abs=1e-5)
    assert [(row["scan"], row["label"]) for row in rows[5:7]] == [("0", "1"), ("1", "0")]
    assert (metrics["positives"], metrics["negatives"]) == (12, 12)


def test_the_threshold_is_that_of_the_validation_crops(scored):
    network = tiny_network().eval()
    metrics, _ = scored(network)
    scores = torch.cat([network(batch["image"])[:, 0] for batch in loader(0)])
    labels = torch.cat([batch["class_label"][:, 0] for batch in loader(0)])
    assert metrics["threshold_logit"] == pytest.approx(best_threshold(scores, labels), abs=1e-5)
    assert metrics["threshold"] == pytest.approx(1 / (1 + math.exp(-metrics["threshold_logit"])))


def oracle():
    """Features of a baseline that knows the labels of 48 crops, and folds of their subjects."""
    scans = [{"subject": f"S{number}", "class_label": 1.0} for number in range(12)]
    subjects, labels = np.repeat([scan["subject"] for scan in scans], 4), torch.arange(48).float() % 2
    return Features({"oracle": labels[:, None]}, labels, subjects), SubjectFolds(scans, 3, 0)


def test_baselines_are_scored_on_the_same_crops_and_fitted_with_the_same_share_of_labels(scored, tmp_path):
    first, _ = scored(tiny_network())
    score_baselines(*oracle(), 1, 0.5, tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics == pytest.approx(first | {"auc_oracle": 1})


def test_an_encoder_among_the_features_is_no_baseline(scored, tmp_path):
    scored(tiny_network())
    features, folds = oracle()
    values = {"mine": torch.rand(48, 2)} | features.values
    score_baselines(replace(features, values=values, layers={"mine": "several"}), folds, 1, 0.5, tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["auc_oracle"] == 1 and "auc_mine" not in metrics


def test_without_scikit_learn_it_is_said_which_baselines_are_not_measured(scored, tmp_path, monkeypatch, caplog):
    first, _ = scored(tiny_network())
    monkeypatch.setitem(sys.modules, "sklearn", None)
    score_baselines(*oracle(), 1, 0.5, tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8")) == first
    assert "Not measured: auc_oracle. " in caplog.text and "pip install scikit-learn" in caplog.text
