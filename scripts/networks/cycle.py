"""Two generators, one for each direction, and all that they make of a source and a target."""

from typing import NamedTuple

import torch
from torch import nn

__all__ = ["Cycle", "Made"]


class Made(NamedTuple):
    """Images [B, 1, ...] of a `Cycle`, in the order of its channels.

    Attributes:
        target, source: made from the other one.
        source_again, target_again: made from what was made from them.
        target_kept, source_kept: made from themselves.
    """

    target: torch.Tensor
    source: torch.Tensor
    source_again: torch.Tensor
    target_again: torch.Tensor
    target_kept: torch.Tensor
    source_kept: torch.Tensor

    @classmethod
    def of(cls, output: torch.Tensor) -> "Made":
        """The images that are the channels of an output."""
        return cls(*output.split(1, 1))


class Cycle(nn.Module):
    """A generator of targets from sources, and one of sources from targets.

    Args:
        forth: makes [B, 1, ...] of the same, the target of a source.
        back: makes the source of a target.
    """

    def __init__(self, forth: nn.Module, back: nn.Module) -> None:
        super().__init__()
        self.forth, self.back = forth, back

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """All images of `Made`, [B, 6, ...]."""
        there, here = self.forth(source), self.back(target)
        return torch.cat([there, here, self.back(there), self.forth(here), self.forth(target), self.back(source)], 1)
