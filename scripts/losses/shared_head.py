"""A loss whose head learns from the items of all processes, each of which asks about its own."""

import torch
from torch import nn

from ..distributed import across_processes
from ..errors import InputError

__all__ = ["SharedHeadLoss"]


class SharedHeadLoss(nn.Module):
    """What losses of a process's own items have in common: gradients of their head are averaged over processes.

    A head with dropout that were applied to the items of all processes in each of them would become another one in
    each.

    Args:
        head: from what is known of an item, [items, D], to its answer.

    Attributes:
        head: itself, by which answers are judged.
    """

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head
        # in a tuple, so that weights have the same names however many processes there are
        self._shared = (across_processes(head),)

    def answers(self, items: torch.Tensor) -> torch.Tensor:
        """The head's answers to [items, D], from which it can learn.

        Raises:
            InputError: a step has one item, and the head normalises over the items of a step.
        """
        normalises = any(isinstance(part, nn.BatchNorm1d) for part in self.head.modules())
        if self.training and normalises and len(items) == 1:
            raise InputError(
                "A step has a single item, which the head cannot normalise: raise batch_size or crops_per_volume."
            )
        return self._shared[0](items)
