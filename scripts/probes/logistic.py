"""What a frozen encoder is worth: a linear classifier on its embeddings, with nothing of the network trained."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ..errors import require_package
from .standardise import Standardise

__all__ = ["LogisticProbe", "class_weights", "require_sklearn"]

PENALTIES = tuple(10.0**exponent for exponent in range(2, -5, -1))


class LogisticProbe:
    """Logistic regression from standardised features; the penalty is the best of `PENALTIES` on validation data.

    It minimises the mean of the binary cross-entropy with logits, classes weighted to be equally frequent, plus
    penalty / 2 times the squared norm of the weights, with scikit-learn: no learning rate, no epochs, no chance.

    Args:
        features: training features, [N, D].
        labels: class labels, 0 or 1, [N]; both must be there.
        val_features: [M, D].
        val_labels: [M].

    Raises:
        InputError: scikit-learn is not installed.

    Attributes:
        penalty: that was chosen.
        standardise, weights, intercept: logit = standardise(features) @ weights [D] + intercept, float64.
    """

    def __init__(
        self, features: torch.Tensor, labels: torch.Tensor, val_features: torch.Tensor, val_labels: torch.Tensor
    ) -> None:
        require_sklearn()
        from sklearn.linear_model import LogisticRegression

        self.standardise, val_labels = Standardise(features), val_labels.double()
        train, validate = self.standardise(features), self.standardise(val_features)
        # weights lie in the span of what is trained on, and a rotation of it changes no penalty; of more crops than
        # features, Q is that of the first ones alone
        basis = torch.linalg.qr(train[: train.shape[1]].T).Q
        train, validate = (train @ basis).numpy(), (validate @ basis).numpy()
        balance, lowest = class_weights(val_labels), float("inf")
        for penalty in PENALTIES:
            strength = 1 / (penalty * len(labels))
            # the default solver stops short of the minimum where there are more features than crops
            model = LogisticRegression(C=strength, class_weight="balanced", solver="newton-cg", tol=1e-8)
            logits = torch.from_numpy(model.fit(train, labels.numpy()).decision_function(validate))
            loss = float(binary_cross_entropy_with_logits(logits, val_labels, weight=balance))
            if loss < lowest:
                lowest, self.penalty, best = loss, penalty, model
        self.weights, self.intercept = basis @ torch.from_numpy(best.coef_[0]), torch.from_numpy(best.intercept_)[0]

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [M], float64, of features [M, D]."""
        return self.standardise(features) @ self.weights + self.intercept


def class_weights(labels: torch.Tensor) -> torch.Tensor:
    """Weights [N], of mean 1, with which both classes count the same; all 1 where there is one.

    Example:
        >>> class_weights(torch.tensor([0.0, 0.0, 0.0, 1.0]))
        tensor([0.6667, 0.6667, 0.6667, 2.0000])
    """
    share = labels.mean()
    return torch.where(labels > 0, 0.5 / share, 0.5 / (1 - share)) if 0 < share < 1 else torch.ones_like(labels)


def require_sklearn() -> None:
    """Raise an `InputError` where scikit-learn is not installed, before anything is computed that would be lost."""
    require_package("scikit-learn", "A linear classifier", module="sklearn")
