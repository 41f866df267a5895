"""Encoder and classifier of several classes become one network, beside what they must beat."""

import csv
import json

import pytest
import torch
from monai.inferers import SimpleInferer
from monai.networks.nets import DenseNet121

from scripts.data.folds import SubjectFolds
from scripts.data.structures import Structures
from scripts.engines.batches import PrepareBatch
from scripts.errors import InputError
from scripts.evaluation.class_head import fit_class_head
from scripts.evaluation.features import FrozenEncoder, crop_features
from scripts.inferers.batch import BatchInferer
from scripts.networks.linear_classes import LinearClasses

pytest.importorskip("sklearn")
SETS = {"out": ["class_layers.out"]}
CLASSES = Structures(("background", "liver", "lung"), ((0,), (1,), (2,)))
SCANS = [{"scan": number, "subject": f"S{number}", "class_label": 1.0} for number in range(6)]


@pytest.fixture
def fit(tmp_path):
    """A function: features of crops, three of each of six subjects, and the network that was fitted to them."""

    def call(labels=(0.0, 1.0, 2.0), tested=None):
        folds = SubjectFolds(SCANS, 3, 0)
        test = folds.rows([scan["subject"] for scan in SCANS], 0)["test"]
        of_scans = [torch.tensor(tested if is_test and tested else labels)[:, None] for is_test in test]
        batches = [
            {
                "image": torch.randn(3, 1, 32, 32, 32) * (label[..., None, None, None] + 0.2),
                "class_label": label,
                "scan": torch.full((3,), number),
                "position": torch.randn(3, 9),
            }
            for number, label in enumerate(of_scans)
        ]
        run = BatchInferer(PrepareBatch(), SimpleInferer(), "cpu")
        encoder = FrozenEncoder("mine", DenseNet121(3, 1, 8), "untrained", run, SETS, "out")
        features = crop_features(batches, SCANS, ["position"], encoder)
        network = LinearClasses(DenseNet121(3, 1, 8), SETS, "out", [32, 32, 32], 3)
        fit_class_head(network, encoder, features, folds, 0, CLASSES, tmp_path / "models", tmp_path)
        network = LinearClasses(DenseNet121(3, 1, 8), SETS, "out", [32, 32, 32], 3)
        network.load_state_dict(torch.load(tmp_path / "models" / "model.pt", weights_only=True))
        return torch.cat([run(batch, network) for batch, is_test in zip(batches, test, strict=True) if is_test])

    return call


def test_the_network_that_is_kept_gives_the_scores_that_are_written(fit, tmp_path):
    logits = fit()
    with open(tmp_path / "scores.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    said = torch.tensor([[float(row[name]) for name in CLASSES.names] for row in rows])
    assert [row["class"] for row in rows] == [*CLASSES.names] * 2
    torch.testing.assert_close(logits.softmax(1), said, atol=1e-4, rtol=1e-4)


def test_figures_stand_beside_those_of_baselines_and_chance(fit, tmp_path):
    fit()
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert {"auc", "auc_low", "auc_position", "balanced_accuracy_position_high"} <= metrics.keys()
    assert metrics["balanced_accuracy_chance"] == pytest.approx(1 / 3)
    assert metrics["auc"] > 0.9 and metrics["subjects"] == 2 and metrics["crops"] == 6
    assert metrics["auc_low"] is None  # of two subjects


def test_what_cannot_be_said_of_test_crops_of_one_class_is_null_and_told(fit, tmp_path, caplog):
    fit(tested=(1.0, 1.0, 1.0))
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")
    assert json.loads(text)["auc"] is None and "NaN" not in text
    assert "mine does not beat position: AUC nan against nan" in caplog.text


def test_a_class_that_no_crop_is_of_is_named(fit):
    with pytest.raises(InputError, match="None of the crops that fold 0 trains on is of liver: give more scans"):
        fit((0.0, 2.0, 2.0))
