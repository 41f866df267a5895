"""How well a pretext task is solved, and what guesses would reach, as metrics of an evaluator."""

from collections.abc import Callable
from typing import Any

import torch
from ignite.metrics import Metric
from ignite.metrics.metric import reinit__is_reduced, sync_all_reduce

from ..losses.pretext import PretextLoss

__all__ = ["PretextAccuracy", "PretextChance"]


class _MeanOfItems(Metric):
    """Mean over the items of all batches and processes, each of which counts once.

    Args:
        loss: of the pretext task.
        output_transform: from the engine's output to the embeddings and the target of a batch.
    """

    def __init__(self, loss: PretextLoss, output_transform: Callable = lambda output: output) -> None:
        self.loss = loss
        super().__init__(output_transform)

    @reinit__is_reduced
    def reset(self) -> None:
        self._sum, self._number = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)

    @reinit__is_reduced
    def update(self, output: tuple[torch.Tensor, dict[str, Any]]) -> None:
        values = self._values(*output).double().cpu()
        self._sum += values.sum()
        self._number += len(values)

    @sync_all_reduce("_sum", "_number")
    def compute(self) -> float:
        return float(self._sum / self._number)

    def _values(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        raise NotImplementedError


class PretextAccuracy(_MeanOfItems):
    """Share of the items that are answered right."""

    def _values(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        return self.loss.correct(embedding, target)


class PretextChance(_MeanOfItems):
    """Share of the items that a guess would answer right."""

    def _values(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        return self.loss.chance(target)
