"""Frozen encoders are judged out of fold, beside position and intensity."""

import csv
import logging

import numpy as np
import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn

from scripts.atomic import save_atomically
from scripts.cross_validation import cross_validate_encoder, out_of_fold_scores, rival_features
from scripts.errors import InputError
from scripts.folds import subject_folds

CPU = torch.device("cpu")
SCANS = [{"scan": number, "subject": f"S{number:02}"} for number in range(20)]


def tiny_network():
    return nn.Sequential(nn.Flatten(), nn.Linear(4**3, 5))


@pytest.fixture
def make_loader():
    """A function: crops of 20 subjects, whose first voxel, or whose place, shows their label."""

    def make(shown_by):
        batches = []
        for item in SCANS:
            label = torch.arange(12) % 2
            image, location = torch.randn(12, 1, 4, 4, 4), 30 * torch.randn(12, 3)
            if shown_by == "image":
                image[:, 0, 0, 0, 0] += 12 * label
            if shown_by == "place":
                location[:, 2] += 100 * label
            scan = torch.full((12,), item["scan"])
            batches.append({"image": image, "location": location, "scan": scan, "label": label.float()})
        return batches

    return make


@pytest.fixture
def evaluate(make_loader, tmp_path):
    """A function: cross-validate an encoder and return the rows of its tables."""

    def run(shown_by="image", encoder="random", name="mine"):
        loader = make_loader(shown_by)
        cross_validate_encoder(
            tiny_network(), encoder, name, loader, SimpleInferer(), CPU, SCANS, 5, 0, str(tmp_path / "out")
        )
        tables = []
        for file in ("cross_validation.csv", "scores.csv"):
            with open(tmp_path / "out" / file, newline="") as opened:
                tables.append(list(csv.DictReader(opened)))
        return tables

    return run


def mean_auc(rows, name):
    return np.mean([float(row["auc"]) for row in rows if row["encoder"] == name])


def test_the_table_has_a_row_for_each_encoder_and_fold(evaluate):
    rows, scores = evaluate()
    header = ["encoder", "fold", "auc", "average_precision", "positives", "negatives", "subjects"]
    assert list(rows[0]) == header
    assert {(row["encoder"], row["fold"]) for row in rows} == {
        (name, str(fold)) for name in ("mine", "position", "intensity") for fold in range(5)
    }
    assert {(row["positives"], row["negatives"], row["subjects"]) for row in rows} == {("24", "24", "4")}
    assert len(scores) == 240 and list(scores[0]) == ["subject", "fold", "label", "mine", "position", "intensity"]


def test_an_encoder_that_sees_the_label_finds_it(evaluate):
    rows, _ = evaluate("image")
    assert mean_auc(rows, "mine") > 0.8 and abs(mean_auc(rows, "position") - 0.5) < 0.15


def test_what_the_place_gives_away_is_seen_and_said(evaluate, caplog):
    with caplog.at_level(logging.INFO):
        rows, _ = evaluate("place")
    assert mean_auc(rows, "position") > 0.9 and abs(mean_auc(rows, "mine") - 0.5) < 0.15
    assert "mine does not beat position alone" in caplog.text


def test_trained_weights_are_loaded(evaluate, tmp_path):
    blind = {name: torch.zeros_like(tensor) for name, tensor in tiny_network().state_dict().items()}
    save_atomically(blind, tmp_path / "encoder.pt")
    rows, _ = evaluate("image", encoder=str(tmp_path / "encoder.pt"))
    assert mean_auc(rows, "mine") == 0.5


def test_labels_that_mean_nothing_are_not_found(make_loader):
    features = torch.randn(240, 40)
    labels, subjects = torch.randint(2, (240,)).float(), [f"S{i // 12:02}" for i in range(240)]
    scores = out_of_fold_scores(features, labels, subjects, subject_folds(dict.fromkeys(subjects, 1), 5, 0))
    assert np.isfinite(scores).all()
    assert abs(np.corrcoef(scores, labels)[0, 1]) < 0.2


def test_a_score_does_not_depend_on_the_labels_of_its_fold():
    features, labels = torch.randn(240, 10), torch.randint(2, (240,)).float()
    subjects = [f"S{i // 12:02}" for i in range(240)]
    assigned = subject_folds(dict.fromkeys(subjects, 1), 5, 0)
    mine = torch.tensor([assigned[subject] == 2 for subject in subjects])
    before = out_of_fold_scores(features, labels, subjects, assigned)[mine]
    labels[mine] = 1 - labels[mine]
    assert np.allclose(out_of_fold_scores(features, labels, subjects, assigned)[mine], before, atol=1e-9)


def test_rivals_know_place_and_intensities_and_nothing_else():
    image, location = torch.randn(6, 1, 4, 4, 4), torch.randn(6, 3)
    shuffled = image.flatten(1)[:, torch.randperm(64)].reshape(image.shape)
    first, second = rival_features(image, location), rival_features(shuffled, location + 1)
    assert torch.allclose(first["intensity"], second["intensity"], atol=1e-5)
    assert not torch.allclose(first["position"], second["position"])
    assert first["position"].shape == (6, 9) and first["intensity"].shape == (6, 35)


def test_scans_without_masks_are_refused(tmp_path):
    with pytest.raises(InputError, match="None of the scans has a mask"):
        cross_validate_encoder(tiny_network(), "random", "mine", [], SimpleInferer(), CPU, [], 5, 0, str(tmp_path))


def test_an_encoder_is_not_mistaken_for_a_rival(evaluate):
    with pytest.raises(InputError, match="cannot be called position, as a rival is"):
        evaluate(name="position")
