"""The relative location objective: where one patch lies from another, by their two embeddings."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, smooth_l1_loss

from ..distributed import across_processes
from ..errors import InputError

__all__ = ["ANSWERS", "PAIRS", "RelativeLocationLoss"]

ANSWERS, PAIRS = ("cell", "mm"), ("one", "all")


class RelativeLocationLoss(nn.Module):
    """How far a head's answer is from where a cell lies, seen from the centre of its region.

    The items are pairs of the centre's patch and another one's. Each process asks about its own; the head is one for
    all of them.

    Source: Taleb et al., "3D Self-Supervised Methods for Medical Imaging", NeurIPS 2020, section 3.2; its pairs are
    `one`, and its answer is the `cell`.

    Args:
        head: from the two embeddings of a pair, joined, [items, 2 D], to a number for each cell but the centre, or to
            three numbers in mm.
        cells: of a region, along each axis, an odd number.
        pairs: `one`: the cell `other` of a region; `all` its cells, whose patches are embedded anyway.
        answer: `cell`: which one it is, by cross-entropy; `mm`: from the one patch's centre to the other's, along the
            patient's axes, by the smooth L1 loss, whose parabola ends at 1 mm. An answer in mm is right where no other
            cell's patch is nearer to it.

    Raises:
        InputError: unknown pairs or answer, or no cell is in the centre.
    """

    def __init__(self, head: nn.Module, cells: Sequence[int], pairs: str = "one", answer: str = "cell") -> None:
        super().__init__()
        _require_one_of("pairs", pairs, PAIRS)
        _require_one_of("answer", answer, ANSWERS)
        if prod(cells) % 2 == 0 or prod(cells) == 1:
            raise InputError(
                f"cells is {list(cells)}: give odd numbers, with a cell in the centre and others round it."
            )
        self.head, self.number, self.pairs, self.answer = head, prod(cells), pairs, answer
        # in a tuple, so that weights have the same names however many processes there are
        self._shared = (across_processes(head),)

    def forward(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Loss of the embeddings [regions * cells, D], the cells of a region in their order; float32 under autocast.

        Of the target, `other` [regions * cells] or `location` [regions * cells, 3] (mm) is looked at.

        Raises:
            InputError: a step has one item, and the head normalises over the items of a step.
        """
        with torch.autocast(embedding.device.type, enabled=False):
            pairs = self._joined(embedding, target)
            self._require_items(len(pairs))
            answers = self._shared[0](pairs)
            if self.answer == "cell":
                return cross_entropy(answers, self._others(target))
            return smooth_l1_loss(answers, self._displacements(target))

    @torch.no_grad()
    def correct(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Whether the answer to each pair is right, [items]."""
        answers = self.head(self._joined(embedding, target))
        if self.answer == "mm":
            answers = -(answers[:, None] - self._from_centre(target)[self._regions(target)]).norm(dim=-1)
        return answers.argmax(1) == self._others(target)

    def chance(self, target: dict[str, Any]) -> torch.Tensor:
        """One of so many cells, [items]."""
        return torch.full((len(self._others(target)),), 1 / (self.number - 1))

    def _others(self, target: dict[str, Any]) -> torch.Tensor:
        """Number of each pair's other cell, without the centre, [items]."""
        drawn = torch.as_tensor(target["other"])[:: self.number]
        if self.pairs == "one":
            return drawn
        return torch.arange(self.number - 1, device=drawn.device).repeat(len(drawn))

    def _regions(self, target: dict[str, Any]) -> torch.Tensor:
        """Number of each pair's region, [items]."""
        others = self._others(target)
        regions = len(target["other"]) // self.number
        return torch.arange(regions, device=others.device).repeat_interleave(len(others) // regions)

    def _joined(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Embeddings of the centre and of the other cell of each pair, [items, 2 D]."""
        centre, others = self._apart(embedding.float())
        regions = self._regions(target)
        return torch.cat([centre[regions], others[regions, self._others(target)]], 1)

    def _from_centre(self, target: dict[str, Any]) -> torch.Tensor:
        """From the centre's patch to each other one's of a region, mm, [regions, cells - 1, 3]."""
        centre, others = self._apart(target["location"])
        return others - centre[:, None]

    def _displacements(self, target: dict[str, Any]) -> torch.Tensor:
        return self._from_centre(target)[self._regions(target), self._others(target)]

    def _apart(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values of the centre [regions, K], and of the other cells [regions, cells - 1, K]."""
        cells = values.unflatten(0, (-1, self.number))
        middle = self.number // 2
        return cells[:, middle], torch.cat([cells[:, :middle], cells[:, middle + 1 :]], 1)

    def _require_items(self, number: int) -> None:
        if self.training and number == 1 and any(isinstance(part, nn.BatchNorm1d) for part in self.head.modules()):
            raise InputError(
                "A step has a single pair, which the head cannot normalise: raise batch_size or crops_per_volume, or "
                "take all pairs."
            )


def _require_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError(f"There are no {name} '{value}': set {name} to one of {', '.join(allowed)}.")
