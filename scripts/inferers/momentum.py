"""A step of a momentum contrast: queries of the network, keys of its moving average."""

from collections.abc import Callable

import torch
from torch import nn

__all__ = ["MomentumInferer"]


class MomentumInferer:
    """Embeds the last of V views by a momentum encoder, without gradient, and the others by the network.

    Args:
        inferer: runs either.
        encoder: the momentum encoder.
        views: V.
    """

    def __init__(self, inferer: Callable, encoder: nn.Module, views: int) -> None:
        self.inferer, self.encoder, self.views = inferer, encoder, views

    def __call__(self, inputs: torch.Tensor, network: nn.Module, *args: torch.Tensor) -> torch.Tensor:
        """Embeddings [V B, D] of all first views, all second views, ..., which further inputs [V B, ...] follow."""
        queries = len(inputs) // self.views * (self.views - 1)
        with torch.no_grad():
            keys = self.inferer(inputs[queries:], self.encoder, *(each[queries:] for each in args))
        return torch.cat([self.inferer(inputs[:queries], network, *(each[:queries] for each in args)), keys])
