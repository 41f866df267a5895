"""A network on a whole batch, with all that it takes of it."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch
from torch import nn

__all__ = ["BatchInferer"]


class BatchInferer:
    """Runs networks on batches as an engine does, outside of one.

    Args:
        prepare_batch: says what a network takes of a batch, as `PrepareBatch` does.
        inferer: runs a network on that.
        device: where to.
    """

    def __init__(self, prepare_batch: Callable, inferer: Callable, device: torch.device | str) -> None:
        self.prepare_batch, self.inferer, self.device = prepare_batch, inferer, device

    @torch.no_grad()
    def __call__(self, batch: Mapping[Hashable, Any], network: nn.Module) -> torch.Tensor:
        """The network's output [B, ...] for a collated batch, in evaluation mode, on the CPU."""
        first, _, others, named = self.prepare_batch(batch, self.device)
        return self.inferer(first, network.eval(), *others, **named).cpu()
