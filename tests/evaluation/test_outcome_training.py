"""A fold is trained for an outcome once, and says of each subject what its windows say together."""

import csv
import json

import numpy as np
import pytest
import torch

from scripts.data.outcome import Outcome
from scripts.data.outcome_folds import OutcomeFolds, scans_with_targets
from scripts.errors import InputError
from scripts.evaluation import fold_training, outcome_training
from scripts.evaluation.outcome_training import OutcomeTraining, predict_subjects
from scripts.losses.outcome import ClassLoss, QuantityLoss

NAMES, NONE = [f"s{number}" for number in range(6)], np.empty((6, 0))
AGE = Outcome("age", NAMES, np.array([20.0, 30, 40, 50, 60, 70]), (), None, NONE)
SEX = Outcome("sex", NAMES, np.arange(6) % 2, ("f", "m"), None, NONE)


class Means(torch.nn.Module):
    """One output a crop: its mean; of several outputs, that times their numbers."""

    def __init__(self, outputs):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.arange(outputs).float() + 1)

    def forward(self, image):
        return image.mean((1, 2, 3, 4))[:, None] * self.weight


def predict(folder, scans, values, loss, outputs=1):
    """Two windows of each scan, of these values."""
    network, path = Means(outputs), folder / "model.pt"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    crops = torch.tensor(values)[:, None, None, None, None].expand(-1, 1, 2, 2, 2)
    loader = [{"image": part} for part in crops.split(2)]
    predict_subjects(network, path, loader, scans, lambda batch, net: net(batch["image"]).detach(), loss, folder)
    with open(folder / "predictions.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_said_of_a_subject_is_the_mean_over_windows_and_scans(tmp_path):
    scans = scans_with_targets([{"subject": name} for name in ("s1", "s0", "s1")], AGE)
    first, second = predict(tmp_path, scans, [1.0, 3, -1, -1, 6, 6], QuantityLoss(50, 10))
    assert (first["subject"], float(first["target"]), float(first["said_0"])) == ("s0", 20, 40)
    assert (second["subject"], float(second["target"]), float(second["said_0"])) == ("s1", 30, 90)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics == {"subjects": 2, "loss": pytest.approx((2**2 + 6**2) / 2)}


def test_of_classes_probabilities_are_said(tmp_path):
    rows = predict(tmp_path, scans_with_targets([{"subject": "s0"}], SEX), [2.0, 4], ClassLoss([1, 1]), outputs=2)
    said = [float(rows[0][f"said_{i}"]) for i in range(2)]
    assert said == pytest.approx(torch.tensor([3.0, 6]).softmax(0).tolist())


@pytest.fixture
def training(monkeypatch, tmp_path):
    """A function: trainings of folds, each of which says of subjects what they are; `trained` lists them."""
    trained = []

    def train(self, folder, fold, share, resume):
        trained.append((fold, resume))
        scans = scans_with_targets([{"subject": name} for name in sorted(self.folds.parts(fold)["test"])], self.outcome)
        values = [float(scan["target"][0]) for scan in scans for _ in range(2)]
        predict(folder, scans, values, QuantityLoss(0, 1))
        parts = {name: sorted(part) for name, part in self.folds.parts(fold).items()}
        (folder / "split.json").write_text(json.dumps(parts), encoding="utf-8")
        (folder / "config.json").write_text(json.dumps(self.config), encoding="utf-8")
        (folder / "checkpoint.pt").touch()

    def make(outcome=AGE, **config):
        config = {"learning_rate": 0.1, "max_epochs": 3, "fold": 0} | config
        monkeypatch.setattr(fold_training, "config_in_use", lambda: config)
        monkeypatch.setattr("scripts.runs.settings.config_in_use", lambda: config)
        return OutcomeTraining(outcome, OutcomeFolds(outcome, 3, 0), 0, tmp_path)

    monkeypatch.setattr(OutcomeTraining, "_train", train)
    make.trained = trained
    return make


def test_a_fold_says_what_its_own_subjects_are(training):
    run, fold = training(), AGE.folds(3, 0)
    for number in range(3):
        assert run(number).tolist() == AGE.target[fold == number].tolist()


def test_a_fold_is_trained_once_and_resumed_where_it_stopped(training, tmp_path):
    training()(0)
    training()(0)
    (tmp_path / "fold_0_of_1" / "metrics.json").unlink()
    training()(0)
    assert training.trained == [(0, False), (0, True)]


def test_other_settings_are_refused(training):
    training()(0)
    with pytest.raises(InputError, match=r"learning_rate is 7, but the run in .*fold_0_of_1"):
        training(learning_rate=7)(0)


@pytest.mark.parametrize("part", ["train", "validate", "test"])
def test_a_table_that_has_changed_is_refused_whoever_it_is_of(training, part):
    training()(0)
    changed = np.isin(NAMES, [*OutcomeFolds(AGE, 3, 0).parts(0)[part]])
    other = Outcome("age", NAMES, AGE.target + 0.5 * changed, (), None, NONE)
    with pytest.raises(InputError, match="fold_0_of_1 was trained for other outcomes"):
        training(other)(0)


def test_two_processes_are_refused_before_one_waits_for_the_other(monkeypatch, tmp_path):
    monkeypatch.setattr(outcome_training, "processes", lambda: 2)
    with pytest.raises(InputError, match="in one process: leave out torchrun"):
        OutcomeTraining(AGE, OutcomeFolds(AGE, 3, 0), 0, tmp_path)
