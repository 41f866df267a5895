"""The relative location objective: where one patch lies from another, by their two embeddings."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, smooth_l1_loss

from ..errors import InputError, require_one_of
from .shared_head import SharedHeadLoss

__all__ = ["ANSWERS", "PAIRS", "RelativeLocationLoss"]

ANSWERS, PAIRS = ("cell", "mm"), ("one", "all")


class RelativeLocationLoss(SharedHeadLoss):
    """How far a head's answer is from where a cell lies, seen from the centre of its region.

    The items are pairs of the centre's patch and another one's. Each process asks about its own; the head is one for
    all of them.

    Source: Taleb et al., "3D Self-Supervised Methods for Medical Imaging", NeurIPS 2020, section 3.2; its pairs are
    `one`, and its answer is the `cell`.

    Args:
        head: from the two embeddings of a pair, joined, [items, 2 D], to a number for each cell but the centre, or to
            three numbers in mm.
        cells: of a region, along each axis, an odd number.
        pairs: `one`: a batch has two patches of each region, the centre's and that of the cell `other`, as `OtherCell`
            leaves them; `all`: it has the patches of all cells in their order, each of which is asked about.
        answer: `cell`: which one it is, by cross-entropy; `mm`, of all pairs: from the one patch's centre to the
            other's, along the patient's axes, by the smooth L1 loss, whose parabola ends at 1 mm. An answer in mm is
            right where no other cell's patch is nearer to it.

    Raises:
        InputError: unknown pairs or answer, an answer in mm of one pair, or no cell is in the centre.
    """

    def __init__(self, head: nn.Module, cells: Sequence[int], pairs: str = "one", answer: str = "cell") -> None:
        super().__init__(head)
        require_one_of("pairs", pairs, PAIRS)
        require_one_of("answer", answer, ANSWERS)
        if prod(cells) % 2 == 0 or prod(cells) == 1:
            raise InputError(
                f"cells is {list(cells)}: give odd numbers, with a cell in the centre and others round it."
            )
        if answer == "mm" and pairs == "one":
            raise InputError("An answer in mm is right or wrong among all cells of a region: give --pairs all with it.")
        self.others, self.pairs, self.answer = prod(cells) - 1, pairs, answer
        # patches of a region in a batch, and which of them is the centre's
        self.patches, self.centre = (2, 0) if pairs == "one" else (prod(cells), prod(cells) // 2)

    def forward(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Loss of the embeddings [regions * patches, D], the patches of a region one after the other.

        It is float32 also under autocast. Of the target, `other` [regions * patches] is looked at where there is one
        pair, and `location` [regions * patches, 3] (mm) where answers are in mm.

        Raises:
            InputError: a step has one item, and the head normalises over the items of a step.
        """
        with torch.autocast(embedding.device.type, enabled=False):
            answers = self.answers(self._joined(embedding))
            if self.answer == "cell":
                return cross_entropy(answers, self._cells(target))
            return smooth_l1_loss(answers, self._from_centre(target).flatten(0, 1))

    @torch.no_grad()
    def correct(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        """Whether the answer to each pair is right, [items]."""
        answers = self.head(self._joined(embedding))
        if self.answer == "mm":
            places = self._from_centre(target)
            answers = (
                -(answers.unflatten(0, (-1, self.others))[:, :, None] - places[:, None]).norm(dim=-1).flatten(0, 1)
            )
        return answers.argmax(1) == self._cells(target)

    def chance(self, target: dict[str, Any]) -> torch.Tensor:
        """One of so many cells, [items]."""
        return torch.full((len(self._cells(target)),), 1 / self.others)

    def _cells(self, target: dict[str, Any]) -> torch.Tensor:
        """Number of each pair's other cell, without the centre, [items]."""
        if self.pairs == "one":
            return torch.as_tensor(target["other"])[:: self.patches]
        scan = torch.as_tensor(target["scan"])
        return torch.arange(self.others, device=scan.device).repeat(len(scan) // self.patches)

    def _joined(self, embedding: torch.Tensor) -> torch.Tensor:
        """Embeddings of the centre and of the other cell of each pair, [items, 2 D]."""
        centre, others = self._apart(embedding.float())
        return torch.cat([centre.expand_as(others), others], -1).flatten(0, 1)

    def _from_centre(self, target: dict[str, Any]) -> torch.Tensor:
        """From the centre's patch to each other one's of a region, mm, [regions, cells - 1, 3]."""
        centre, others = self._apart(target["location"])
        return others - centre

    def _apart(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values of the centre [regions, 1, K], and of the other patches [regions, patches - 1, K]."""
        patches = values.unflatten(0, (-1, self.patches))
        before, centre, after = patches.tensor_split([self.centre, self.centre + 1], 1)
        return centre, torch.cat([before, after], 1)
