"""What features of crops say of their class, one of several: a linear classifier."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from .logistic import PENALTIES, require_sklearn
from .standardise import Standardise

__all__ = ["ClassProbe"]


class ClassProbe:
    """Multinomial logistic regression from standardised features; `LogisticProbe` is that of two classes.

    It minimises the mean cross-entropy, classes weighted to be equally frequent, plus penalty / 2 times the squared
    norm of the weights, with scikit-learn; the penalty is the best of `PENALTIES` on validation data.

    Args:
        features: training features, [N, D].
        labels: numbers of classes, [N]; all of 0 to C - 1 must be there.
        val_features: [M, D].
        val_labels: [M].

    Raises:
        InputError: scikit-learn is not installed.

    Attributes:
        penalty: that was chosen.
        standardise, weights, intercept: logits = standardise(features) @ weights.T [C, D] + intercept [C], float64.
    """

    def __init__(
        self, features: torch.Tensor, labels: torch.Tensor, val_features: torch.Tensor, val_labels: torch.Tensor
    ) -> None:
        require_sklearn()
        from sklearn.linear_model import LogisticRegression

        self.standardise, known = Standardise(features), val_labels.long()
        train, validate = self.standardise(features), self.standardise(val_features)
        basis = torch.linalg.qr(train[: train.shape[1]].T).Q  # as in LogisticProbe
        train, validate = (train @ basis).numpy(), validate @ basis
        balance, lowest = _balance(known, len(labels.unique())), float("inf")
        for penalty in PENALTIES:
            strength = 1 / (penalty * len(labels))
            model = LogisticRegression(C=strength, class_weight="balanced", solver="newton-cg", tol=1e-6)
            weights, intercept = _of_each_class(model.fit(train, labels.long().numpy()))
            loss = float(cross_entropy(validate @ weights.T + intercept, known, weight=balance))
            if loss < lowest:
                lowest, self.penalty = loss, penalty
                self.weights, self.intercept = weights @ basis.T, intercept

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [M, C], float64, of features [M, D]."""
        return self.standardise(features) @ self.weights.T + self.intercept


def _balance(labels: torch.Tensor, number: int) -> torch.Tensor:
    """Weight of each class, [C], with which those that are there count the same."""
    return 1 / labels.bincount(minlength=number).double().clamp(min=1)


def _of_each_class(model) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights [C, D] and intercepts [C]; of two classes, scikit-learn has those of the second alone."""
    weights, intercept = model.coef_, model.intercept_
    if len(weights) == 1:
        weights, intercept = np.concatenate([0 * weights, weights]), np.concatenate([0 * intercept, intercept])
    return torch.from_numpy(weights), torch.from_numpy(intercept)
