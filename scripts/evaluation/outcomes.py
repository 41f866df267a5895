"""What an encoder knows of subjects' outcomes: linear models in folds of subjects, beside what they must beat."""

from collections.abc import Mapping

import numpy as np
import torch

from ..data.outcome import Outcome
from ..probes.nested import nested_prediction
from .outcome_results import Predicted, compare_models
from .outcome_tables import tell_outcomes, write_outcomes

__all__ = ["evaluate_outcomes"]

MEAN = "mean"  # of the training subjects: what is known of a quantity before anything is seen


def evaluate_outcomes(
    features: Mapping[str, torch.Tensor],
    outcome: Outcome,
    fold: np.ndarray,
    seed: int,
    layers: Mapping[str, str],
    output_dir: str,
) -> None:
    """Predict the outcome of every subject by models that never saw it: ridge regression, or logistic for classes.

    Writes outcomes.csv, predictions.csv and, where there are two classes, cross_validation.csv and scores.csv; the log
    says how each model does, and what the encoder does not surely beat.

    Args:
        features: [S, D] by the model's name, the encoder's first; subjects in the order of the outcome's.
        outcome: what is predicted; its covariates are one more model.
        fold: number of each subject's fold, [S], the same for all models.
        seed: of the folds within folds that choose penalties.
        layers: name of the set of layers, of each model that is an encoder.
        output_dir: where the tables go.
    """
    if outcome.covariates.size:
        features = {**features, "covariates": torch.from_numpy(outcome.covariates)}
    models = {name: _out_of_fold(values, outcome, fold, seed) for name, values in features.items()}
    if not outcome.classes:
        models[MEAN] = _mean_of_others(outcome.target, fold)
    predicted = Predicted(outcome, fold, models)
    results = compare_models(predicted)
    write_outcomes(predicted, results, layers, output_dir)
    tell_outcomes(outcome, results, layers)


def _out_of_fold(features: torch.Tensor, outcome: Outcome, fold: np.ndarray, seed: int) -> np.ndarray:
    """Quantities [S], or probabilities [S, C]."""
    predicted = np.empty((len(fold), len(outcome.classes)) if outcome.classes else len(fold))
    for number in np.unique(fold):
        test, known = fold == number, outcome.target[fold != number]
        said = nested_prediction(features[~test], known, features[test], bool(outcome.classes), seed)
        predicted[test] = said.numpy()
    return predicted


def _mean_of_others(target: np.ndarray, fold: np.ndarray) -> np.ndarray:
    return np.array([target[fold != own].mean() for own in fold])
