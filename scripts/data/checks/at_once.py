"""How many scans can be in work at once."""

import os
from collections.abc import Sequence

from ...distributed import processes_here
from .resampled import NATIVE, memory_of_process

__all__ = ["scans_at_once"]


def scans_at_once(paths: Sequence[str]) -> int:
    """As many as there are processors, if so many of the largest files fit in half of the memory.

    Args:
        paths: of the files of all scans that are left to this process.
    """
    largest = max((os.path.getsize(path) for path in paths if os.path.isfile(path)), default=1)
    memory = memory_of_process() / 2 / processes_here()
    fitting = memory / (NATIVE * largest)  # a byte of a compressed file is about a voxel
    return max(1, min((os.cpu_count() or 1) // processes_here(), int(fitting)))
