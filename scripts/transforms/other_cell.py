"""A cell beside the centre: which, is the question of the relative location task."""

from collections.abc import Sequence

import numpy as np
from monai.transforms import Randomizable, Transform

__all__ = ["OtherCell"]


class OtherCell(Randomizable, Transform):
    """Draw one of a region's cells but the centre, leave these two, and write which it is to `other` of both.

    Numbers leave the centre out: the cell after it has its number. Chance is drawn apart from being applied:
    `randomize` draws `drawn`, one number a region.

    Source: Taleb et al., "3D Self-Supervised Methods for Medical Imaging", NeurIPS 2020, section 3.2.

    Args:
        cells: of a region, along each axis, odd numbers.
    """

    def __init__(self, cells: Sequence[int]) -> None:
        self.number, self.drawn = int(np.prod(cells)), np.zeros(0, int)

    def randomize(self, data: int) -> None:
        """Draw a number for each of so many regions."""
        self.drawn = self.R.randint(self.number - 1, size=data)

    def __call__(self, data: Sequence[dict], randomize: bool = True) -> list[dict]:
        """The item of each region's centre, then that of its other cell, of whole regions of items in their order."""
        if randomize:
            self.randomize(len(data) // self.number)
        centre = self.number // 2
        return [
            {**data[region * self.number + cell], "other": other}
            for region, other in enumerate(self.drawn.tolist())
            for cell in (centre, other + (other >= centre))
        ]
