"""Cells of several modalities, mixed up: where each patch is from, is the question of the multimodal puzzle."""

from collections.abc import Sequence
from math import prod

import numpy as np
import torch
from monai.transforms import Randomizable, Transform

from ..errors import require_one_of

__all__ = ["DRAWN_FOR", "ModalityPuzzle"]

DRAWN_FOR = ("cell", "region")


class ModalityPuzzle(Randomizable, Transform):
    """Draw a modality for each cell of a region, put the cells in a random order, and write to each where it was.

    Chance is drawn apart from being applied: `randomize` draws `shares` [regions, cells] from 0 to 1, which stand for
    one of the modalities that a scan has, and `orders` [regions, cells].

    Source: Taleb et al., "Multimodal Self-Supervised Learning for Medical Image Analysis", arXiv 1912.05396.

    Args:
        cells: of a region, along each axis.
        drawn_for: `cell`: each has a modality of its own, as in the paper; `region`: all cells of one have the same.

    Raises:
        InputError: it is drawn for something else.
    """

    def __init__(self, cells: Sequence[int], drawn_for: str = "cell") -> None:
        require_one_of("modality_of", drawn_for, DRAWN_FOR)
        self.cells, self.drawn_for = prod(cells), drawn_for
        self.shares, self.orders = np.zeros((0, self.cells)), np.zeros((0, self.cells), int)

    def randomize(self, data: int) -> None:
        """Draw modalities and orders of so many regions."""
        each = self.cells if self.drawn_for == "cell" else 1
        self.shares = self.R.rand(data, each).repeat(self.cells // each, 1)
        self.orders = self.R.rand(data, self.cells).argsort(1)

    def __call__(self, data: Sequence[dict], randomize: bool = True) -> list[dict]:
        """The items of whole regions, the cells of each after each other, in the order that is drawn for it.

        `cell` is the number of each in its region, and `modality` that of a channel which is `present` in its scan,
        [modalities], bool.
        """
        if randomize:
            self.randomize(len(data) // self.cells)
        regions = zip(range(0, len(data), self.cells), self.shares, self.orders.tolist(), strict=True)
        return [
            {**data[first + cell], "cell": cell, "modality": _one_of(data[first]["present"], shares[cell])}
            for first, shares, order in regions
            for cell in order
        ]


def _one_of(present: torch.Tensor, share: float) -> int:
    """The channel that stands at a share of those that are there."""
    channels = torch.as_tensor(present).nonzero().flatten().tolist()
    return channels[int(share * len(channels))]
