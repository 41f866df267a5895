"""Batches that are larger than memory, whose loss sees all of their crops."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

__all__ = ["GradCacheInferer"]


class GradCacheInferer:
    """Runs the network on a batch a chunk at a time, and keeps of each its output alone.

    The loss sees the outputs of all crops. As their gradient comes back, each chunk goes through the network again, in
    the state that random numbers and autocast had. So the gradient is that of the whole batch, with the memory of a
    chunk, for a second forward pass. Batch normalisation sees a chunk at a time, and moves its running statistics in
    the first pass alone.

    Source: Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", RepL4NLP 2021.

    Args:
        inferer: runs the network on a chunk.
        chunk_size: crops, at most; chunks of a batch differ by one at most.
    """

    def __init__(self, inferer: Callable, chunk_size: int) -> None:
        self.inferer, self.chunk_size = inferer, chunk_size

    def __call__(self, inputs: torch.Tensor, network: nn.Module, *args: torch.Tensor) -> torch.Tensor:
        """The network's output [B, ...] for inputs [B, ...], which further inputs [B, ...] follow."""

        def contexts():
            return nullcontext(), _buffers_as_they_are(network)

        number = math.ceil(len(inputs) / self.chunk_size)
        chunks = zip(*(each.tensor_split(number) for each in (inputs, *args)), strict=True)
        return torch.cat(
            [
                checkpoint(self.inferer, first, network, *others, use_reentrant=False, context_fn=contexts)
                for first, *others in chunks
            ]
        )


@contextmanager
def _buffers_as_they_are(network: nn.Module) -> Iterator[None]:
    buffers = list(network.buffers())
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:  # a second pass ends in an exception, as soon as it has what the gradient needs
        with torch.no_grad():
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)
