"""A training in each fold for an outcome of subjects, and what it says of those that it never saw."""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.outcome import Outcome
from ..data.outcome_folds import OutcomeFolds, scans_with_targets
from ..distributed import processes
from ..errors import InputError
from ..losses.cox import CoxLoss
from ..losses.outcome import ClassLoss, QuantityLoss
from ..networks.weights import load_encoder
from .fold_training import FoldRuns
from .subject_features import mean_by_subject

__all__ = ["OutcomeTraining", "predict_subjects"]


class OutcomeTraining(FoldRuns):
    """`FoldRuns` whose trainings end with `predict_subjects`.

    Args:
        outcome: that is predicted.
        folds: of its subjects.
        seed: of each training.
        output_dir: each training has a folder in it.

    Raises:
        InputError: there are several processes: a validation is of all subjects at once, in one of them.
    """

    def __init__(self, outcome: Outcome, folds: OutcomeFolds, seed: int, output_dir: str) -> None:
        if processes() > 1:
            raise InputError("Outcomes are learned in one process: leave out torchrun and multi_gpu_train.json.")
        super().__init__(folds, seed, output_dir)
        self.outcome = outcome

    def __call__(self, fold: int) -> np.ndarray:
        """What is said of the fold's M test subjects: quantities or log risks [M], or probabilities [M, C].

        Raises:
            InputError: the fold was trained with other settings, subjects or outcomes.
        """
        with open(self.trained(fold, 1.0) / "predictions.csv", encoding="utf-8", newline="") as file:
            _, *rows = csv.reader(file)
        said = np.array([[float(one) for one in row[1 + len(self._targets()[0]) :]] for row in rows])
        return said if self.outcome.classes else said[:, 0]

    def trained(self, fold: int, share: float) -> Path:
        """As there; what all subjects are is on record before it begins, since those who train decide as well."""
        path = self.folder(fold, share) / "targets.json"
        if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != self._targets():
            raise InputError(f"{path.parent} was trained for other outcomes: give another output_dir.")
        write_json_atomically(path, self._targets())
        return super().trained(fold, share)

    def _targets(self) -> list[list[float]]:
        scans = [{"subject": name} for name in self.outcome.subject]
        return [scan["target"].tolist() for scan in scans_with_targets(scans, self.outcome)]


def predict_subjects(
    network: nn.Module,
    weights: str,
    loader: Iterable,
    scans: list[dict],
    run: Callable,
    loss: ClassLoss | QuantityLoss | CoxLoss,
    output_dir: str,
) -> None:
    """Write predictions.csv (subject, target, and what is said) and, last, metrics.json with the loss over subjects.

    What a network says of a subject is its output's mean over all windows of all its scans.

    Args:
        network: the weights are loaded into it.
        weights: path of those that were trained.
        loader: of windows, as many of each scan, with what the network takes.
        scans: their items, in that order, with `target`.
        run: runs the network on a batch of crops, as `BatchInferer` does.
        loss: with `predict`, which makes of outputs what is said.
        output_dir: where the files go.
    """
    network = load_encoder(network, weights)
    outputs = torch.cat([run(batch, network) for batch in loader]).float()
    output = mean_by_subject(outputs.reshape(len(scans), -1, outputs.shape[1]).mean(1), scans)
    of_subject = {scan["subject"]: scan["target"] for scan in scans}
    names = sorted(of_subject)
    target = torch.stack([torch.as_tensor(of_subject[name]) for name in names])
    said = loss.predict(output).reshape(len(names), -1)
    header = ["subject", *["target", "event"][: target.shape[1]], *(f"said_{i}" for i in range(said.shape[1]))]
    rows = ([name, *row] for name, row in zip(names, torch.cat([target, said], 1).tolist(), strict=True))
    write_csv_atomically(Path(output_dir) / "predictions.csv", [header, *rows])
    metrics = {"subjects": len(names), "loss": float(loss(output, target))}
    write_json_atomically(Path(output_dir) / "metrics.json", metrics)
