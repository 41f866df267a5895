"""Objectives of subjects' outcomes: a class, a quantity, or the time to an event."""

from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from ..data.outcome import Outcome
from ..distributed import gather
from ..errors import InputError
from .cox import CoxLoss

__all__ = ["ClassLoss", "OverWindows", "QuantityLoss", "outcome_loss"]


class ClassLoss(nn.Module):
    """Cross-entropy over the subjects of all processes, classes weighted to count the same.

    Args:
        sizes: how many subjects each class has in training; one at least.

    Raises:
        InputError: when it is called, there are not as many logits as classes.
    """

    weight: torch.Tensor

    def __init__(self, sizes: Sequence[int] | np.ndarray) -> None:
        super().__init__()
        self.register_buffer("weight", 1 / torch.as_tensor(sizes, dtype=torch.float32))

    def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of logits [B, C] against numbers of classes [B, 1]."""
        if output.shape[1] != len(self.weight):
            raise InputError(
                f"The network has {output.shape[1]} outputs for {len(self.weight)} classes: give the last layer of "
                "network_def as many."
            )
        known = gather(target)[:, 0].long()
        return cross_entropy(gather(output.float()), known, weight=self.weight.to(output.device))

    def predict(self, output: torch.Tensor) -> torch.Tensor:
        """Probabilities, [B, C], of logits."""
        return output.softmax(1)


class QuantityLoss(nn.Module):
    """Mean squared error over the subjects of all processes, in units of the variance in training.

    Args:
        mean, deviation: of the quantity in training; outputs are standardised by them.
    """

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.mean, self.deviation = mean, deviation if deviation > 0 else 1.0

    def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of standardised quantities [B, 1] against quantities in their unit, [B, 1]."""
        return mse_loss(gather(output.float()), (gather(target) - self.mean) / self.deviation)

    def predict(self, output: torch.Tensor) -> torch.Tensor:
        """Quantities in their unit, [B]."""
        return output[:, 0] * self.deviation + self.mean


class OverWindows(nn.Module):
    """A loss of scans, whose output is the mean of their windows': so, the last layer being linear, of its features.

    Args:
        loss: of outputs [B, K] and targets [B, T].
        windows: of a scan, along each axis.
    """

    def __init__(self, loss: nn.Module, windows: Sequence[int]) -> None:
        super().__init__()
        self.loss, self.number = loss, int(np.prod(windows))

    def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of outputs [B windows, K] against targets [B windows, T], those of a scan behind each other."""
        output, target = (each.reshape(len(each), -1) for each in (output, target))  # EpochMetric drops an axis of one
        return self.loss(output.float().unflatten(0, (-1, self.number)).mean(1), target[:: self.number])


def outcome_loss(outcome: Outcome, subjects: Collection[str]) -> ClassLoss | QuantityLoss | CoxLoss:
    """The objective of an outcome, with what has to be known of the subjects that are trained on."""
    known = outcome.target[[name in subjects for name in outcome.subject]]
    if outcome.classes:
        return ClassLoss(np.bincount(known, minlength=len(outcome.classes)))
    return QuantityLoss(float(known.mean()), float(known.std())) if outcome.is_quantity else CoxLoss()
