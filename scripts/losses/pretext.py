"""What the loss of a pretext task says beside its value: what was answered right, and what a guess would reach."""

from typing import Any, Protocol

import torch

__all__ = ["PretextLoss"]


class PretextLoss(Protocol):
    """A loss, an `nn.Module` with the task's head in it, that can be asked how well its task is solved.

    The items of a task are what has one right answer each: crops that were turned, regions whose cells were mixed up.
    They follow the order of a batch's scans, and each scan has as many of them as any other.
    """

    def __call__(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Loss of the embeddings [N, D] of all that the network took of a batch; a scalar.

        The target has all else of the batch, by its key.
        """

    def correct(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Whether each item's answer is right, bool, or which share of it is, [items]."""

    def chance(self, target: dict[str, Any]) -> torch.Tensor:
        """How likely a guess is right, of each item, [items]."""
