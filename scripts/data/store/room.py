"""Whether memory has room for all scans of a training, or a store has to keep them."""

import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median_high
from typing import Any

import numpy as np
import torch
from monai.transforms import Compose

from ...distributed import processes_here, rank
from ...errors import counted
from ..checks.resampled import memory_of_process
from .prepared_store import NO_STORE, files_of

__all__ = ["store_with_room"]

logger = logging.getLogger(__name__)

ROOM = 0.6  # of the memory, which a training needs as well
MOST = 200  # bytes that a byte of a file may become, where voxels are made smaller: 4 of float32 for each of 50


def store_with_room(
    scans: Sequence[dict[str, Any]],
    prepared: Sequence[Callable],
    cache_rate: float,
    store_dir: str | None,
    spare_dir: str,
) -> str | None:
    """The folder of the store that keeps the scans of a training; None where memory does.

    What they take is known by one of them, whose files are of middle size, and not asked where all files are small.

    Args:
        scans: items of a list: all that it prepares once.
        prepared: the transforms that prepare one.
        cache_rate: share of them that memory is to keep.
        store_dir: of a store that keeps them whatever memory has room for.
        spare_dir: of one that does where there is no other, and memory has no room for that share.
    """
    if store_dir not in NO_STORE:
        return store_dir
    sizes, here = [sum(map(os.path.getsize, files_of(scan))) for scan in scans], processes_here()
    room = ROOM * memory_of_process() / here
    if cache_rate * MOST * sum(sizes) <= room:
        return None
    needed = len(scans) * _bytes(Compose(prepared)(scans[sizes.index(median_high(sizes))]))
    if cache_rate * needed <= room:
        return None
    if rank() == 0:
        each = f" in each of {here} processes" if here > 1 else ""
        logger.warning(
            f"Prepared, {counted(len(scans), 'scan')} take about {needed / 1e9:.2g} GB, and memory has room for "
            f"{room / 1e9:.2g} GB{each}: they are kept in {spare_dir}, whose disk has {_free(spare_dir) / 1e9:.2g} GB "
            "left, and which may be removed afterwards. --store_dir names another folder, on a fast disk, which other "
            "runs may share."
        )
    return spare_dir


def _free(folder: str) -> int:
    """Bytes that the disk of a folder has left, which need not be there yet."""
    path = Path(folder).absolute()
    return shutil.disk_usage(next(above for above in (path, *path.parents) if above.exists())).free


def _bytes(item: Any) -> int:
    """Of the tensors of an item."""
    if isinstance(item, (torch.Tensor, np.ndarray)):
        return item.nbytes
    if isinstance(item, (Mapping, list, tuple)):
        return sum(map(_bytes, item.values() if isinstance(item, Mapping) else item))
    return 0
