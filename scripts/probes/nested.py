"""Linear models of few subjects with many features each; the penalty is chosen among training subjects alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ..data.stratified_folds import stratified_folds
from .cox import fit_cox, held_out_likelihood
from .standardise import Standardise

__all__ = ["COX", "LOGISTIC", "RIDGE", "LinearModel", "fit_logistic", "fit_ridge", "nested_prediction"]

PENALTIES = tuple(10.0**exponent for exponent in range(-5, 2))
INNER_FOLDS = 5


@dataclass(frozen=True)
class LinearModel:
    """A kind of linear model, of which each of P penalties gives one.

    Attributes:
        fit: of coordinates [N, r] and targets [N] or [N, 2] in training, and other coordinates [M, r]: predictions
            [P, M], or [P, M, C].
        loss: of predictions for all N, all targets, and who was left out of the fit, [N]: [P], least of the best.
        ordered: whether folds are alike in small and large targets, rather than in classes or in who has an event.
    """

    fit: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    loss: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    ordered: bool

    def folds(self, target: np.ndarray, number: int, seed: int) -> np.ndarray:
        """Fold of each target, [N]."""
        kind = target[:, 1] if target.ndim > 1 else target
        return stratified_folds(kind, number, seed, self.ordered)


class Coordinates:
    """Standardised features of N subjects in at most N coordinates, which a linear model with an L2 penalty needs.

    The weights that such a model finds are a combination of the subjects' features, so that nothing is lost.

    Args:
        features: of training, [N, D].

    Attributes:
        train: [N, r], in units in which the mean square of a subject's coordinates is about 1 / N.
    """

    def __init__(self, features: torch.Tensor) -> None:
        self.standardise = Standardise(features)
        known = self._scaled(features)
        squares, vectors = torch.linalg.eigh(known @ known.T)
        kept = squares > 1e-10 * squares[-1].clamp(min=1e-12)
        kept[-1] = True  # if features never vary, one coordinate that does not
        scale = squares[kept].clamp(min=1e-24).sqrt()
        self.directions = known.T @ (vectors[:, kept] / scale)
        self.train = vectors[:, kept] * scale

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Coordinates [M, r] of features [M, D]."""
        return self._scaled(features) @ self.directions

    def _scaled(self, features: torch.Tensor) -> torch.Tensor:
        return self.standardise(features) / features.shape[1] ** 0.5


def fit_ridge(train: torch.Tensor, target: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Quantities [P, M] that ridge regression predicts, with each of `PENALTIES` on the mean squared error.

    Args:
        train: [N, r].
        target: [N].
        others: [M, r].
    """
    centre, level = train.mean(0), target.mean()
    u, s, v = torch.linalg.svd(train - centre, full_matrices=False)
    projected = u.T @ (target - level)
    shrunk = torch.stack([projected * s / (s**2 + penalty * len(train)) for penalty in PENALTIES])
    return shrunk @ v @ (others - centre).T + level


def fit_logistic(train: torch.Tensor, target: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Probabilities of classes [P, M, C] by scikit-learn's (multinomial) logistic regression, classes weighted alike.

    Args:
        train: [N, r].
        target: number of the class, [N]; all C are there.
        others: [M, r].
    """
    from sklearn.linear_model import LogisticRegression

    def probabilities(penalty: float) -> torch.Tensor:
        strength = 1 / (penalty * len(train))
        model = LogisticRegression(C=strength, class_weight="balanced", solver="newton-cg", tol=1e-6, max_iter=200)
        return torch.from_numpy(model.fit(train.numpy(), target.numpy()).predict_proba(others.numpy()))

    return torch.stack([probabilities(penalty) for penalty in PENALTIES])


def nested_prediction(
    features: torch.Tensor, target: np.ndarray, others: torch.Tensor, model: LinearModel, seed: int
) -> torch.Tensor:
    """Predict for subjects what a model says that is fitted to others.

    The penalty is the one with the least loss in a cross-validation among the latter.

    Args:
        features: of N training subjects, [N, D].
        target: quantities, two at least; numbers of classes, two of each at least; or times and events [N, 2], two of
            the latter at least.
        others: features of M subjects, [M, D].
        model: which of `RIDGE`, `LOGISTIC` and `COX`.
        seed: of the folds of that cross-validation.

    Returns:
        Quantities [M], probabilities [M, C], or log risks [M].
    """
    known, coordinates = torch.from_numpy(target), Coordinates(features)
    train = coordinates.train
    number_of_folds = min(INNER_FOLDS, len(target))  # of two subjects of a class, no fold takes both
    fold = torch.from_numpy(model.folds(target, number_of_folds, seed))

    def held_out(number: int) -> torch.Tensor:
        """Loss with each penalty, [P], on one fold of models that are fitted to the others."""
        out = fold == number
        return model.loss(model.fit(train[~out], known[~out], train), known, out)

    best = torch.stack([held_out(number) for number in range(number_of_folds)]).sum(0).argmin()
    return model.fit(train, known, coordinates(others))[best]


def _squared_error(predicted: torch.Tensor, target: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    return (predicted - target)[:, out].square().sum(1)


def _cross_entropy(predicted: torch.Tensor, target: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """Sum over those left out, each class weighted by how rare it is among all."""
    weight = 1 / torch.bincount(target).double()[target[out]]
    likely = predicted[:, out].gather(2, target[out].expand(len(predicted), -1)[..., None])[..., 0]
    return -(likely.clamp(min=1e-12).log() * weight).sum(1)


RIDGE = LinearModel(fit_ridge, _squared_error, ordered=True)
LOGISTIC = LinearModel(fit_logistic, _cross_entropy, ordered=False)
COX = LinearModel(fit_cox, held_out_likelihood, ordered=False)
