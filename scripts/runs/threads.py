"""How many threads compute on the CPU."""

import os

import torch

__all__ = ["use_threads"]


def use_threads(threads: int | None) -> None:
    """Compute with so many threads from here on.

    On all processors, a training stalls where the machine does anything else, so that half of them are the default.

    Args:
        threads: None: as `OMP_NUM_THREADS` says, else half of the processors.
    """
    if threads is None and _is_said():
        return  # torch has read it when it was imported
    torch.set_num_threads(_half() if threads is None else threads)


def _is_said() -> bool:
    """Whether `OMP_NUM_THREADS` has a number: it may be empty, or hold one for each level, as in 4,2."""
    return os.environ.get("OMP_NUM_THREADS", "").strip()[:1].isdigit()


def _half() -> int:
    """Of the processors, but no more than torch may use, as in a container that has a few of them."""
    return max(1, min(torch.get_num_threads(), (os.cpu_count() or 1) // 2))
