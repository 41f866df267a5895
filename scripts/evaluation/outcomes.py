"""What an encoder knows of subjects' outcomes: linear models in folds of subjects, beside what they must beat."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from ..atomic import write_json_atomically
from ..data.outcome import Outcome
from ..errors import InputError
from ..probes.nested import COX, LOGISTIC, RIDGE, nested_prediction
from .outcome_figures import outcome_figures
from .outcome_results import Predicted, compare_models
from .outcome_tables import tell_outcomes, write_outcomes

__all__ = ["evaluate_outcomes"]

MEAN, CHANCE = "mean", "chance"  # what is known before anything is seen: of a quantity, or else


def evaluate_outcomes(
    features: Mapping[str, torch.Tensor],
    outcome: Outcome,
    fold: np.ndarray,
    seed: int,
    layers: Mapping[str, str],
    output_dir: str,
    trained: Mapping[str, Callable[[int], np.ndarray]] | None = None,
) -> None:
    """Predict the outcome of every subject by models that never saw it: ridge regression; logistic regression
    for classes; Cox's for times.

    Writes metrics.json, outcomes.csv, predictions.csv and, where there are two classes, cross_validation.csv and
    scores.csv; the log says how each model does, and what the encoder does not surely beat.

    Args:
        features: [S, D] by the model's name, the encoder's first; subjects in the order of the outcome's.
        outcome: what is predicted; its covariates are one more model.
        fold: number of each subject's fold, [S], the same for all models.
        seed: of the folds within folds that choose penalties.
        layers: name of the set of layers, of each model that is an encoder.
        output_dir: where the tables go.
        trained: models of other kinds, which come first: of the number of a fold, what each says of its subjects.

    Raises:
        InputError: one of these is called as another model is.
    """
    if outcome.covariates.size:
        features = {**features, "covariates": torch.from_numpy(outcome.covariates)}
    if taken := (trained or {}).keys() & {*features, MEAN, CHANCE}:
        raise InputError(f"An encoder cannot be called {taken.pop()}, as what it is compared with: give another name.")
    models = {name: _of_folds(model, fold) for name, model in (trained or {}).items()}
    models |= {name: _out_of_fold(values, outcome, fold, seed) for name, values in features.items()}
    models |= _without_features(outcome, fold)
    predicted = Predicted(outcome, fold, models)
    results = compare_models(predicted)
    write_outcomes(predicted, results, layers, output_dir)
    write_json_atomically(Path(output_dir) / "metrics.json", outcome_figures(outcome, results))
    tell_outcomes(outcome, results, layers)


def _of_folds(model: Callable[[int], np.ndarray], fold: np.ndarray) -> np.ndarray:
    """What a model says of each subject, in the fold that tests it."""
    said = {number: model(int(number)) for number in np.unique(fold)}
    predicted = np.empty((len(fold), *said[fold[0]].shape[1:]))
    for number, of_fold in said.items():
        predicted[fold == number] = of_fold
    return predicted


def _out_of_fold(features: torch.Tensor, outcome: Outcome, fold: np.ndarray, seed: int) -> np.ndarray:
    """Quantities or log risks [S], or probabilities [S, C]."""
    model = LOGISTIC if outcome.classes else RIDGE if outcome.is_quantity else COX
    target = outcome.target if outcome.event is None else np.stack([outcome.target, outcome.event], 1)
    predicted = np.empty((len(fold), len(outcome.classes)) if outcome.classes else len(fold))
    for number in np.unique(fold):
        test = fold == number
        said = nested_prediction(features[~test], target[~test], features[test], model, seed)
        predicted[test] = said.numpy()
    return predicted


def _without_features(outcome: Outcome, fold: np.ndarray) -> dict[str, np.ndarray]:
    """What is said of everybody: the mean of the other folds, how frequent classes are there, or one risk."""
    if outcome.is_quantity:
        return {MEAN: np.array([outcome.target[fold != own].mean() for own in fold])}
    if not outcome.classes:
        return {CHANCE: np.zeros(len(fold))}
    one_hot = np.eye(len(outcome.classes))[outcome.target]
    return {CHANCE: np.array([one_hot[fold != own].mean(0) for own in fold])}
