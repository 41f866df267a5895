"""Mixed-up cells: in which order, is the question of the jigsaw task."""

from collections.abc import Sequence

import numpy as np
from monai.transforms import Randomizable, Transform

from ..errors import InputError

__all__ = ["Jigsaw", "distant_permutations"]

POOL = 10_000


def distant_permutations(number: int, length: int) -> np.ndarray:
    """Permutations that differ from each other in many places, the same ones always, [number, length].

    Of random ones, that is chosen next whose least Hamming distance to those chosen before is the largest. Of 27 cells,
    100 differ in 24 places or more (random ones in about 20); of 9 cells, in 6.

    Source: Noroozi, Favaro, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles", ECCV 2016,
    algorithm 1, on a pool in place of all permutations.

    Raises:
        InputError: the pool has not so many.

    Example:
        >>> distant_permutations(2, 2)
        array([[0, 1],
               [1, 0]])
    """
    # of its own generator, and not of a run's seed, so that a class is the same in all runs
    pool = np.random.RandomState(0).rand(POOL, length).argsort(1, kind="stable").astype("int16")
    chosen, distance = [0], (pool != pool[0]).sum(1)
    while len(chosen) < number and distance.max() > 0:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, (pool != pool[chosen[-1]]).sum(1))
    if len(chosen) < number:
        raise InputError(
            f"Of the orders of {length} cells, {len(chosen)} are there to choose {number} permutations from: "
            "give fewer permutations or more cells."
        )
    return pool[chosen].astype(int)


class Jigsaw(Randomizable, Transform):
    """Put the patches of each region in one of some orders, and write which to `permutation` of each of them.

    Chance is drawn apart from being applied: `randomize` draws `drawn`, the class of each region.

    Source: Taleb et al., "3D Self-Supervised Methods for Medical Imaging", NeurIPS 2020, section 3.3.

    Args:
        cells: of a region, along each axis.
        permutations: how many there are to choose from.

    Attributes:
        orders: the cells in the order of each class, [permutations, cells].

    Raises:
        InputError: there are not so many permutations.
    """

    def __init__(self, cells: Sequence[int], permutations: int = 100) -> None:
        self.orders = distant_permutations(permutations, int(np.prod(cells)))
        self.drawn = np.zeros(0, int)

    def randomize(self, data: int) -> None:
        """Draw a class for each of so many regions."""
        self.drawn = self.R.randint(len(self.orders), size=data)

    def __call__(self, data: Sequence[dict], randomize: bool = True) -> list[dict]:
        """The items of whole regions, the cells of each after each other, in the order that is drawn for it."""
        length = self.orders.shape[1]
        if randomize:
            self.randomize(len(data) // length)
        regions = zip(range(0, len(data), length), self.drawn.tolist(), strict=True)
        return [{**data[first + cell], "permutation": drawn} for first, drawn in regions for cell in self.orders[drawn]]
