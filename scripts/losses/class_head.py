"""A head that answers which of some classes it is, from the embeddings of one or more crops."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from .shared_head import SharedHeadLoss

__all__ = ["ClassHeadLoss"]


class ClassHeadLoss(SharedHeadLoss):
    """Cross-entropy of a head's answer. Each process asks about its own items; the head is one for all of them.

    Source: Taleb et al., "3D Self-Supervised Methods for Medical Imaging", NeurIPS 2020, sections 3.2 to 3.4.

    Args:
        head: from the embeddings of an item, joined, [items, crops * D], to a number for each class, [items, classes].
        classes: how many there are.
        label: key of the class in a batch: a whole number of each crop, the same for all crops of an item.
        crops: of an item; they follow each other in a batch.
    """

    def __init__(self, head: nn.Module, classes: int, label: str, crops: int = 1) -> None:
        super().__init__(head)
        self.classes, self.label, self.crops = classes, label, crops

    def forward(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Loss of the embeddings [items * crops, D], float32 also under autocast.

        Raises:
            InputError: a step has one item, and the head normalises over the items of a step.
        """
        with torch.autocast(embedding.device.type, enabled=False):
            return cross_entropy(self.answers(self._joined(embedding)), self._labels(target))

    @torch.no_grad()
    def correct(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Whether the likeliest class of each item is its own, [items]."""
        return self.head(self._joined(embedding)).argmax(1) == self._labels(target)

    def chance(self, target: dict[str, Any]) -> torch.Tensor:
        """One of so many classes, [items]."""
        return torch.full((len(self._labels(target)),), 1 / self.classes)

    def _joined(self, embedding: torch.Tensor) -> torch.Tensor:
        return embedding.float().reshape(len(embedding) // self.crops, -1)

    def _labels(self, target: dict[str, Any]) -> torch.Tensor:
        return torch.as_tensor(target[self.label])[:: self.crops]
