"""A linear classifier of crops into several classes, kept as one network with its encoder, beside what it must beat."""

import logging
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.folds import SubjectFolds
from ..data.structures import Structures
from ..errors import InputError, counted, some
from ..metrics.outcome_metrics import class_metrics
from ..metrics.subject_bootstrap import SubjectBootstrap, expanded_interval
from ..networks.linear_classes import LinearClasses
from ..probes.class_probe import ClassProbe
from .features import Features, FrozenEncoder
from .linear_head import keep_as_one

__all__ = ["fit_class_head"]

logger = logging.getLogger(__name__)

REPEATS = 1000  # draws of the subjects


def fit_class_head(
    network: LinearClasses,
    encoder: FrozenEncoder,
    features: Features,
    folds: SubjectFolds,
    fold: int,
    classes: Structures,
    folder: str,
    output_dir: str,
) -> None:
    """Fit a `ClassProbe` to each of the features of a fold's training crops, and score its test crops.

    Writes model.pt, the encoder and its probe as one network; metrics.json, with `auc` and `balanced_accuracy` over the
    classes, with the ends of their 95 % intervals over subjects, and those of each baseline, by its name; and
    scores.csv, the encoder's probability of each class.

    Args:
        network: becomes the encoder and its probe.
        encoder: the first of the features are its own.
        features: of all crops, the class label of which is a number.
        folds, fold: which subjects train, validate and test.
        classes: in the order of their numbers.
        folder: where model.pt goes.
        output_dir: where all else goes.

    Raises:
        InputError: no training crop is of some class, or scikit-learn is not installed.
    """
    rows = folds.rows(features.subject, fold)
    _require_all(features.class_label[rows["train"]], classes, fold)
    said = {}
    for name, values in features.values.items():
        known = (part[rows[of]] for of in ("train", "validate") for part in (values, features.class_label))
        probe = ClassProbe(*known)
        if name == encoder.name:
            keep_as_one(network, encoder, probe, [str(Path(folder) / "model.pt")])
        said[name] = probe(values[rows["test"]]).softmax(1)
    label, subject = features.class_label[rows["test"]].long(), features.subject[rows["test"]]
    metrics = _metrics(said, label, subject, encoder.name)
    _write_scores(said[encoder.name], label, subject, classes, Path(output_dir))
    figures = {key: None if math.isnan(value) else value for key, value in metrics.items()}  # JSON has no nan
    write_json_atomically(Path(output_dir) / "metrics.json", figures)
    _tell(metrics, said, encoder.name)


def _require_all(label: torch.Tensor, classes: Structures, fold: int) -> None:
    there = label.long().bincount(minlength=len(classes.names)) > 0
    if missing := [name for name, found in zip(classes.names, there.tolist(), strict=True) if not found]:
        raise InputError(
            f"None of the crops that fold {fold} trains on is of {some(missing)}: give more scans that have it, a "
            "smaller centre, or a table of classes without it (structures)."
        )


def _metrics(said: Mapping[str, torch.Tensor], label: torch.Tensor, subject: np.ndarray, own: str) -> dict:
    """Of all models, each by its name behind but for the encoder's."""
    draws = SubjectBootstrap(subject, REPEATS)
    counts = draws.counts[:, torch.from_numpy(np.unique(subject, return_inverse=True)[1])]
    metrics: dict[str, float] = {"crops": len(label), "subjects": draws.number}
    for name, scores in said.items():
        drawn = class_metrics(scores, scores.argmax(1), label, torch.zeros(len(label)), counts)
        for metric, values in drawn.items():
            key, ends = metric if name == own else f"{metric}_{name}", expanded_interval(values, draws.number)
            low, high = (math.nan, math.nan) if ends is None else map(float, ends)
            metrics |= {key: float(values[0]), f"{key}_low": low, f"{key}_high": high}
    return metrics | {"balanced_accuracy_chance": 1 / scores.shape[1]}


def _write_scores(
    probability: torch.Tensor, label: torch.Tensor, subject: np.ndarray, classes: Structures, folder: Path
) -> None:
    rows = zip(subject, [classes.names[number] for number in label.tolist()], probability.tolist(), strict=True)
    header = ["subject", "class", *classes.names]
    write_csv_atomically(folder / "scores.csv", [header, *([who, what, *each] for who, what, each in rows)])


def _tell(metrics: Mapping, said: Mapping[str, torch.Tensor], own: str) -> None:
    for name in said:
        ending = "" if name == own else f"_{name}"
        logger.info(
            f"{name}: AUC {metrics[f'auc{ending}']:.3f}, balanced accuracy "
            f"{metrics[f'balanced_accuracy{ending}']:.3f} of {metrics['crops']} test crops of "
            f"{counted(metrics['subjects'], 'subject')}."
        )
        if name != own and not metrics["auc"] > metrics[f"auc_{name}"]:  # nan, of test crops of one class, neither
            logger.warning(f"{own} does not beat {name}: AUC {metrics['auc']:.3f} against {metrics[f'auc_{name}']:.3f}")
