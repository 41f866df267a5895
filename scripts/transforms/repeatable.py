"""Random transforms whose draws depend on the seed and the item alone."""

import copy
import zlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from monai.transforms import Transform

__all__ = ["Repeatable", "RepeatableDraws"]


class Repeatable(Transform):
    """A random transform that does the same to an item each time, so that it can be cached, and compared.

    Args:
        transform: a random transform of MONAI's; a copy of it is used.
        seed: together with the item, draws.
        key: what tells items apart: a number, such as that of a scan, or an array, such as a crop's voxels.
    """

    def __init__(self, transform: Callable, seed: int = 0, key: Hashable = "scan") -> None:
        self.transform: Any = copy.deepcopy(transform)
        self.seed, self.key = seed, key

    def __call__(self, data: Mapping[Hashable, Any]) -> Any:
        """What the transform makes of an item, drawn anew from the seed and the item's `key`."""
        return self.transform.set_random_state(self.seed + 1_000_003 * _number(data[self.key]))(data)


class RepeatableDraws(Transform):
    """Several draws of a random transform, each of which is the same for the same item each time.

    Args:
        transform, key: as for `Repeatable`.
        draws: how many.
        seed: of the first; the next numbers are those of the others.
    """

    def __init__(self, transform: Callable, draws: int, seed: int = 0, key: Hashable = "scan") -> None:
        self.each = [Repeatable(transform, seed, key)]
        for number in range(1, draws):
            self.each.append(copy.copy(self.each[0]))  # of one transform, so that what it says once is said once
            self.each[number].seed = seed + number

    def __call__(self, data: Mapping[Hashable, Any]) -> list:
        """What the transform makes of an item, once a draw."""
        return [draw(data) for draw in self.each]


def _number(value: Any) -> int:
    return value if isinstance(value, int) else zlib.crc32(np.ascontiguousarray(value).tobytes())
