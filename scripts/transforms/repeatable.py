"""Random transforms whose draws depend on the seed and the item alone."""

import copy
import zlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from monai.transforms import Transform

__all__ = ["Repeatable"]


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

    def __call__(self, data: Mapping[Hashable, Any], number: int = 0) -> Any:
        """What the transform makes of an item, drawn anew from the seed and the item's `key`.

        Args:
            data: the item.
            number: of the draw, where several differ.
        """
        return self.transform.set_random_state(self.seed + number + 1_000_003 * _number(data[self.key]))(data)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else zlib.crc32(np.ascontiguousarray(value).tobytes())
