"""Linear models of few subjects with many features each; the penalty is chosen among training subjects alone."""

from collections.abc import Callable

import numpy as np
import torch

from ..data.stratified_folds import stratified_folds
from .standardise import Standardise

__all__ = ["fit_logistic", "fit_ridge", "nested_prediction"]

PENALTIES = tuple(10.0**exponent for exponent in range(-5, 2))
INNER_FOLDS = 5
# of coordinates [N, r] and targets [N] in training, and other coordinates [M, r]: predictions [P, M], or [P, M, C]
Fit = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


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
    features: torch.Tensor, target: np.ndarray, others: torch.Tensor, classes: bool, seed: int
) -> torch.Tensor:
    """Predict for subjects what a model says that is fitted to others.

    The penalty is the one with the least loss in a cross-validation among the latter: squared error, or cross-entropy
    with classes weighted alike.

    Args:
        features: of N training subjects, [N, D].
        target: quantities, two at least, or numbers of classes, two of each at least, [N].
        others: features of M subjects, [M, D].
        classes: whether the target is a class.
        seed: of the folds of that cross-validation.

    Returns:
        Quantities [M], or probabilities [M, C].
    """
    known = torch.from_numpy(target.astype(int if classes else float))
    fit, loss = (fit_logistic, _cross_entropy) if classes else (fit_ridge, _squared_error)
    coordinates = Coordinates(features)
    train = coordinates.train
    number_of_folds = min(INNER_FOLDS, len(target))  # of two subjects of a class, no fold takes both
    fold = torch.from_numpy(stratified_folds(target, number_of_folds, seed, ordered=not classes))

    def held_out(number: int) -> torch.Tensor:
        """Loss with each penalty, [P], on one fold of models that are fitted to the others."""
        out = fold == number
        return loss(fit(train[~out], known[~out], train[out]), known[out], known)

    best = torch.stack([held_out(number) for number in range(number_of_folds)]).sum(0).argmin()
    return fit(train, known, coordinates(others))[best]


def _squared_error(predicted: torch.Tensor, target: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return (predicted - target).square().sum(1)


def _cross_entropy(predicted: torch.Tensor, target: torch.Tensor, every: torch.Tensor) -> torch.Tensor:
    """Sum over those with a target, each class weighted by how rare it is among all."""
    weight = 1 / torch.bincount(every).double()[target]
    likely = predicted.gather(2, target.expand(len(predicted), -1)[..., None])[..., 0]
    return -(likely.clamp(min=1e-12).log() * weight).sum(1)
