"""What a frozen encoder is worth: a linear classifier on its embeddings, with nothing of the network trained."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["LogisticProbe", "class_weights"]


PENALTIES = tuple(10.0**exponent for exponent in range(-4, 3))


class LogisticProbe:
    """Logistic regression from standardised features; the penalty is the best of `PENALTIES` on validation data.

    It minimises the mean of the binary cross-entropy with logits, classes weighted to be equally frequent, plus
    penalty / 2 times the squared norm of the weights, by Newton's method: no learning rate, no epochs, no chance.

    Args:
        features: training features, [N, D].
        labels: 0 or 1, [N]; both must be there.
        val_features: [M, D].
        val_labels: [M].
    """

    def __init__(self, features, labels, val_features, val_labels) -> None:
        features, labels, val_labels = features.double(), labels.double(), val_labels.double()
        self.mean, self.scale = features.mean(0), features.std(0).clamp(min=1e-12)
        # in the space of the training features alone, which has at most N directions
        _, _, self.basis = torch.linalg.svd(self._standardise(features), full_matrices=False)
        self.basis = self.basis.T
        train, validate = (self._project(part) for part in (features, val_features))
        balance, val_balance = class_weights(labels), class_weights(val_labels)
        self.penalty, self.weights, best, weights = None, None, float("inf"), None
        for penalty in sorted(PENALTIES, reverse=True):
            weights = _fit(train, labels, balance / len(labels), penalty, weights)
            loss = float(binary_cross_entropy_with_logits(validate @ weights, val_labels, weight=val_balance))
            if loss < best:
                self.penalty, self.weights, best = penalty, weights, loss

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [M], float64, of features [M, D]."""
        return self._project(features) @ self.weights

    def linear(self) -> tuple[torch.Tensor, torch.Tensor]:
        """What it does to features as they are: logit = features @ direction [D] + intercept, float64."""
        direction = self.basis @ self.weights[:-1] / self.scale
        return direction, self.weights[-1] - direction @ self.mean

    def _standardise(self, features: torch.Tensor) -> torch.Tensor:
        return (features.double() - self.mean) / self.scale

    def _project(self, features: torch.Tensor) -> torch.Tensor:
        projected = self._standardise(features) @ self.basis
        return torch.cat([projected, torch.ones(len(projected), 1, dtype=projected.dtype)], 1)


def class_weights(labels: torch.Tensor) -> torch.Tensor:
    """Weights [N], of mean 1, with which two classes count the same; all 1 where there is one."""
    share = labels.mean()
    return torch.where(labels > 0, 0.5 / share, 0.5 / (1 - share)) if 0 < share < 1 else torch.ones_like(labels)


def _fit(features, labels, importance, penalty, weights=None, steps: int = 50) -> torch.Tensor:
    """Weights [D + 1] by Newton's method with step halving; the last one, the intercept, is not penalised."""
    ridge = torch.full((features.shape[1],), penalty, dtype=features.dtype)
    ridge[-1] = 0

    def objective(weights):
        loss = binary_cross_entropy_with_logits(features @ weights, labels, weight=importance, reduction="sum")
        return loss + (ridge * weights.square()).sum() / 2

    weights = torch.zeros_like(ridge) if weights is None else weights
    value = objective(weights)
    for _ in range(steps):
        probability = torch.sigmoid(features @ weights)
        gradient = features.T @ (importance * (probability - labels)) + ridge * weights
        curvature = (features * (importance * probability * (1 - probability))[:, None]).T @ features + ridge.diag()
        step = torch.linalg.lstsq(curvature, gradient[:, None]).solution[:, 0]
        size = 1.0
        while (new := objective(weights - size * step)) > value and size > 1e-6:
            size /= 2
        if value - new < 1e-10 * (1 + abs(value)):
            break
        weights, value = weights - size * step, new
    return weights
