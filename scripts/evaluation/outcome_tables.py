"""Predictions of an outcome in tables, and in a few lines of the log."""

import logging
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch

from ..atomic import write_csv_atomically
from ..data.outcome import Outcome
from .cross_validation import FOLD_METRICS, fold_metrics
from .outcome_results import ModelResult, Predicted

__all__ = ["tell_outcomes", "write_outcomes"]

logger = logging.getLogger(__name__)

SURE = 0.05  # largest adjusted p at which a lead is called one
CALLED = {"mae": "MAE", "r2": "R²", "pearson_r": "r", "auc": "AUC", "balanced_accuracy": "balanced accuracy"}
CALLED |= {"concordance": "concordance"}
OUTCOME_COLUMNS = (
    *("model", "layers", "metric", "value", "low", "high"),
    *("p", "p_holm", "better_in", "subjects", "effect_size", "rank_biserial", "caution"),
)


def write_outcomes(
    predicted: Predicted, results: Mapping[str, ModelResult], layers: Mapping[str, str], output_dir: str
) -> None:
    """Write outcomes.csv and predictions.csv and, of two classes, cross_validation.csv and scores.csv.

    The latter are as those of a cross-validation of crops, so that several encoders' can be compared in the same way.

    Args:
        predicted: of each subject.
        results: of each model.
        layers: name of the set of layers, of each model that is an encoder.
        output_dir: where they go.
    """
    folder, subjects = Path(output_dir), len(predicted.fold)
    rows = [row for name, result in results.items() for row in _rows(name, layers.get(name, ""), result, subjects)]
    write_csv_atomically(folder / "outcomes.csv", [OUTCOME_COLUMNS, *rows])
    write_csv_atomically(folder / "predictions.csv", _predictions(predicted))
    for file in ("cross_validation.csv", "scores.csv"):
        (folder / file).unlink(missing_ok=True)  # of an earlier run
    class_of = predicted.outcome.class_of
    if class_of is not None and len(predicted.outcome.classes) in (0, 2):
        write_csv_atomically(folder / "cross_validation.csv", _folds(predicted, class_of, layers))
        write_csv_atomically(folder / "scores.csv", _scores(predicted, class_of))


def tell_outcomes(outcome: Outcome, results: Mapping[str, ModelResult], layers: Mapping[str, str]) -> None:
    """A line a model, and a warning of each that the first does not surely beat."""
    for name, result in results.items():
        logger.info(f"{_called(name, layers)}: {_said(result)}; {outcome.name} of {len(outcome.subject)} subjects.")
    own, *others = results
    for name in others:
        for metric, lead in results[name].leads.items():
            mine, theirs = results[own].values[metric], results[name].values[metric]
            ahead = mine < theirs if metric == "mae" else mine > theirs
            against = lead.rank_biserial < 0  # most errors are larger, though a few decide the mean
            caution = results[own].cautions.get(metric) or results[name].cautions.get(metric)
            if not (ahead and lead.p_holm <= SURE) or against or caution:
                verdict = "does not surely beat" if ahead else "does not beat"
                logger.warning(
                    f"{own} {verdict} {_called(name, layers)}: {CALLED[metric]} {mine:.3g} against {theirs:.3g} "
                    f"(p = {lead.p_holm:.2g}, corrected for {_number_of_tests(results)} tests"
                    f"{f'; not to be relied on: {caution}' if caution else ''})."
                )


def _called(name: str, layers: Mapping[str, str]) -> str:
    return f"{name} ({layers[name]})" if name in layers else f"the {name}" if name == "mean" else name


def _number_of_tests(results: Mapping[str, ModelResult]) -> int:
    return sum(len(result.leads) for result in results.values())


def _said(result: ModelResult) -> str:
    known = {name: value for name, value in result.values.items() if not math.isnan(value)}
    return ", ".join(f"{CALLED[name]} {value:.3g}{_interval(result, name)}" for name, value in known.items())


def _interval(result: ModelResult, metric: str) -> str:
    if metric not in result.intervals:
        return ""
    low, high = result.intervals[metric]
    caution = f", not to be relied on: {result.cautions[metric]}" if metric in result.cautions else ""
    return f" (95 % from {low:.3g} to {high:.3g}{caution})"


def _rows(name: str, layers: str, result: ModelResult, subjects: int) -> Iterable[list]:
    for metric, value in result.values.items():
        lead = result.leads.get(metric)
        test = [_cell(lead.p), _cell(lead.p_holm), lead.better_in] if lead else [""] * 3
        sizes = [_cell(lead.effect_size), _cell(lead.rank_biserial)] if lead else [""] * 2
        interval, caution = result.intervals.get(metric, ("", "")), result.cautions.get(metric, "")
        yield [name, layers, metric, _cell(value), *interval, *test, subjects, *sizes, caution]


def _cell(value: float) -> float | str:
    """Empty where there is no such number."""
    return "" if math.isnan(value) else value


def _predictions(predicted: Predicted) -> Iterable[list]:
    outcome = predicted.outcome
    target = [outcome.classes[one] for one in outcome.target] if outcome.classes else outcome.target.tolist()
    columns = [_answers(said, outcome.classes) for said in predicted.models.values()]
    known = {"subject": outcome.subject, "fold": predicted.fold.tolist(), "target": target}
    if outcome.event is not None:
        known["event"] = outcome.event.astype(int).tolist()
    yield [*known, *predicted.models]
    yield from ([*row] for row in zip(*known.values(), *columns, strict=True))


def _answers(said: np.ndarray, classes: tuple[str, ...]) -> list:
    """Quantities or log risks; of two classes, the probability of the second; of more, the likeliest."""
    if len(classes) > 2:
        return [classes[one] for one in said.argmax(1)]
    return (said[:, 1] if classes else said).tolist()


def _folds(predicted: Predicted, class_of: np.ndarray, layers: Mapping[str, str]) -> Iterable[list]:
    yield ["encoder", "fold", *FOLD_METRICS, "positives", "negatives", "subjects", "layers"]
    label = torch.from_numpy(class_of)
    for name in predicted.models:
        scores, threshold = torch.from_numpy(predicted.scores(name)[:, 1]), 0.5 if predicted.outcome.classes else 0.0
        for fold in np.unique(predicted.fold):
            test = torch.from_numpy(predicted.fold == fold)
            metrics = fold_metrics(scores[test], label[test], threshold).values()
            positives, subjects = int(label[test].sum()), int(test.sum())
            yield [name, fold, *metrics, positives, subjects - positives, subjects, layers.get(name, "")]


def _scores(predicted: Predicted, class_of: np.ndarray) -> Iterable[list]:
    yield ["subject", "fold", "label", *predicted.models]
    columns = [predicted.scores(name)[:, 1].tolist() for name in predicted.models]
    rows = zip(predicted.outcome.subject, predicted.fold.tolist(), class_of.tolist(), *columns, strict=True)
    yield from ([*row] for row in rows)
