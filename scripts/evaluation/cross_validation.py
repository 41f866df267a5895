"""What an encoder is worth for a task: classifiers in folds of subjects, beside what they must beat."""

import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.metrics import compute_average_precision

from ..atomic import write_csv_atomically
from ..data.folds import SubjectFolds
from ..errors import InputError
from ..metrics.fold_statistics import bootstrap_interval, enough_subjects
from ..metrics.operating_point import best_threshold, sensitivity_specificity
from ..metrics.roc_auc import roc_auc
from ..networks.transfer import UNTRAINED
from ..probes.logistic import LogisticProbe, require_sklearn
from .features import Features
from .strata import write_strata

__all__ = ["FOLD_METRICS", "Probes", "cross_validate", "fold_metrics"]

logger = logging.getLogger(__name__)

FOLD_METRICS = ("auc", "average_precision", "sensitivity", "specificity")
# scores of a fold's test items, and the threshold chosen on its validation items, of a fold and a share of the labels
Classifier = Callable[[int, float], tuple[torch.Tensor, float]]


class Probes:
    """Fits a classifier of frozen features in each fold.

    Args:
        features: `values` of which are classified.
        folds: of the subjects.
        name: of the values.
        probe: fits a classifier to features and labels, with features and labels to validate on.
    """

    def __init__(self, features: Features, folds: SubjectFolds, name: str, probe: Callable = LogisticProbe) -> None:
        self.features, self.folds, self.name, self.probe = features, folds, name, probe

    def __call__(self, fold: int, share: float) -> tuple[torch.Tensor, float]:
        """Scores of the fold's test items, [M], and a threshold."""
        values, label = self.features.values[self.name], self.features.class_label
        rows = self.folds.rows(self.features.subject, fold, share)
        probe = self.fit(fold, share)
        return probe(values[rows["test"]]), best_threshold(probe(values[rows["validate"]]), label[rows["validate"]])

    def fit(self, fold: int, share: float) -> Any:
        """The fold's classifier, a `probe`.

        Raises:
            InputError: all that it trains on has one label.
        """
        values, label = self.features.values[self.name], self.features.class_label
        rows = self.folds.rows(self.features.subject, fold, share)
        _require_both_labels(label[rows["train"]], fold, share)
        return self.probe(*(part[rows[name]] for name in ("train", "validate") for part in (values, label)))


def cross_validate(
    features: Features,
    folds: SubjectFolds,
    label_shares: Iterable[float],
    output_dir: str,
    probe: Callable = LogisticProbe,
    baseline_probe: Callable = LogisticProbe,
    trained: Mapping[str, Classifier] | None = None,
) -> None:
    """Score every item by classifiers that have seen nothing of its subject.

    Writes cross_validation.csv (encoder, fold, auc, average_precision, sensitivity, specificity, positives, negatives,
    subjects, layers), scores.csv (the out-of-fold score of each item), strata.csv where it is known how much lesion a
    crop holds and, where there are shares, label_efficiency.csv.

    Args:
        features: of an encoder and its baselines, or of the baselines alone.
        folds: of the subjects.
        label_shares: of the training subjects, besides all of them.
        output_dir: where the tables go.
        probe: classifier of an encoder's features, as for `Probes`.
        baseline_probe: of its baselines' features.
        trained: classifiers of other kinds, which come first.

    Raises:
        InputError: a classifier is called as a baseline is, all that a fold trains on has one class label, or
            scikit-learn is not installed.
    """
    require_sklearn()  # the baselines come last, after what may train for days
    trained, shares = trained or {}, sorted({*label_shares, 1.0})
    if taken := trained.keys() & features.values.keys():
        raise InputError(f"An encoder cannot be called {taken.pop()}, as a baseline is: give it another name.")
    for fold, share in product(range(folds.number), shares):
        _require_both_labels(features.class_label[folds.rows(features.subject, fold, share)["train"]], fold, share)
    own, *_ = [*trained, *features.values]
    probes = {name: Probes(features, folds, name, probe if name == own else baseline_probe) for name in features.values}
    classifiers: dict[str, Classifier] = {**trained, **probes}
    scores = {name: np.full(len(features.class_label), np.nan) for name in classifiers}
    rows, efficiency = [], []
    for (name, classifier), fold in product(classifiers.items(), range(folds.number)):
        inside = folds.rows(features.subject, fold)["test"]
        label, subjects = features.class_label[inside], len(set(features.subject[inside]))
        for share in shares:
            test, threshold = classifier(fold, share)
            metrics = fold_metrics(test, label, threshold)
            trained_on = len(folds.parts(fold, share)["train"])
            efficiency.append([name, share, fold, metrics["auc"], metrics["average_precision"], trained_on])
        scores[name][inside] = test
        counted = [int(label.sum()), int((1 - label).sum()), subjects]
        rows.append([name, fold, *metrics.values(), *counted, features.layers.get(name, "")])
    _write(Path(output_dir), features, folds, scores, rows, efficiency)
    write_strata(Path(output_dir), features, _fold_of(features, folds), scores)
    _tell(features, folds, scores, rows)


def fold_metrics(scores: torch.Tensor, label: torch.Tensor, threshold: float) -> dict[str, float]:
    """`FOLD_METRICS` of scores [N] with labels [N]; ranks are nan where one kind is missing."""
    both = 0 < label.sum() < len(label)
    precision = float(np.asarray(compute_average_precision(scores, label))) if both else np.nan
    called = sensitivity_specificity(scores, label, threshold)
    return dict(zip(FOLD_METRICS, [roc_auc(scores, label), precision, *called], strict=True))


def _require_both_labels(label: torch.Tensor, fold: int, share: float) -> None:
    if len(label.unique()) < 2:
        raise InputError(
            f"All that fold {fold} trains on, with {share:.0%} of its subjects, has the label {label[0]:.0f}: add "
            "scans of the other, lower folds or, if every crop holds a lesion, spacing."
        )


def _write(folder: Path, features: Features, folds: SubjectFolds, scores: dict, rows: list, efficiency: list) -> None:
    header = ["encoder", "fold", *FOLD_METRICS, "positives", "negatives", "subjects", "layers"]
    write_csv_atomically(folder / "cross_validation.csv", [header, *rows])
    (folder / "label_efficiency.csv").unlink(missing_ok=True)  # of an earlier run
    if len(efficiency) > len(rows):
        header = ["encoder", "label_share", "fold", "auc", "average_precision", "training_subjects"]
        write_csv_atomically(folder / "label_efficiency.csv", [header, *efficiency])
    label = features.class_label.numpy().astype(int)
    columns = zip(features.subject, _fold_of(features, folds), label, *scores.values(), strict=True)
    write_csv_atomically(folder / "scores.csv", [["subject", "fold", "label", *scores], *columns])


def _tell(features: Features, folds: SubjectFolds, scores: dict, rows: list) -> None:
    """A line an encoder, with what its interval rests on; folds that no mean is over; baselines that are not beaten."""
    label, fold = features.class_label.numpy().astype(int), _fold_of(features, folds)
    number = {row[1]: row[-2] for row in rows}  # of a fold's test subjects
    without = sorted({row[1] for row in rows if np.isnan(row[2])})
    if without:
        logger.warning(
            f"What fold {', '.join(map(str, without))} tests has one class label alone, and so no AUC: means are over "
            "the other folds. Lower folds, or give more subjects of the rarer label."
        )
    over = f"{len(number) - len(without)} of {len(number)}" if without else f"{len(number)}"
    sizes = " or ".join(map(str, sorted(set(number.values()))))
    rest = f"over {over} folds with {sizes} test subjects each"
    means = {name: np.mean([row[2] for row in rows if row[0] == name and row[1] not in without]) for name in scores}
    for name, values in scores.items():
        sure = _interval(values, label, features.subject, fold)
        logger.info(f"{name}: AUC {means[name]:.3f} ({sure}) {rest}.")
    own, *baselines = means
    for baseline in baselines:
        if means[own] <= means[baseline]:
            logger.warning(f"{own} does not beat {_called(baseline)}: {means[own]:.3f} against {means[baseline]:.3f}.")


def _called(baseline: str) -> str:
    return "the untrained encoder" if baseline == UNTRAINED else f"{baseline} alone"


def _interval(scores: np.ndarray, label: np.ndarray, subject: np.ndarray, fold: np.ndarray) -> str:
    """Of a mean AUC, in words."""
    if not enough_subjects(label, subject, fold):
        return "too few subjects for an interval"
    low, high = bootstrap_interval(scores, label, subject, fold)
    return f"95 % from {low:.3f} to {high:.3f}"


def _fold_of(features: Features, folds: SubjectFolds) -> np.ndarray:
    return np.array([folds.assigned[subject] for subject in features.subject])
