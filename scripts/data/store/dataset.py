"""Scans for a training: prepared in memory, or in a store on disk."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from monai.data import CacheDataset, Dataset
from monai.transforms import Compose

from ...distributed import processes_here, rank
from ..checks.resampled import memory_of_process
from .prepare import prepare_scans
from .prepared_store import PreparedStore, files_of

__all__ = ["StoredDataset", "preparation", "prepared_dataset"]

logger = logging.getLogger(__name__)

ROOM = 0.6  # of the memory, which a training needs as well
MOST = 40  # bytes of a prepared scan for one of its files, beyond which nobody has to look


def prepared_dataset(
    data: Sequence[dict[str, Any]],
    transform: Compose,
    prepared: Sequence[Callable],
    cache_rate: float = 1.0,
    store_dir: str | None = None,
    spare_dir: str | None = None,
) -> Dataset:
    """A data set whose scans are prepared once, in memory or in a store.

    Args:
        data: items of a list.
        transform: all that is done to an item.
        prepared: the transforms that it begins with, which draw nothing.
        cache_rate: share of the scans that is kept in memory, where there is no store: with all that is not random.
        store_dir: folder of the store, which needs no memory: the system keeps in it what there is room for.
        spare_dir: that of one which is used where there is no `store_dir`, and memory has no room for that share.
    """
    if store_dir is None and spare_dir is not None and not _fit_in_memory(data, prepared, cache_rate, spare_dir):
        store_dir = spare_dir
    if store_dir is None:
        return CacheDataset(data, transform, cache_rate=cache_rate)
    return StoredDataset(data, transform, PreparedStore(prepared, store_dir))


def preparation(transforms: Sequence[Callable], store_dir: str | None = None) -> Callable:
    """What prepares one scan: the transforms, or a store that has what they made of it."""
    return Compose(transforms) if store_dir is None else PreparedStore(transforms, store_dir)


def _fit_in_memory(
    data: Sequence[dict[str, Any]], prepared: Sequence[Callable], cache_rate: float, spare_dir: str
) -> bool:
    """Whether a share of the scans does, by the first of them, if their files are large enough to ask."""
    room = ROOM * memory_of_process() / processes_here()
    if MOST * cache_rate * sum(os.path.getsize(path) for path in files_of(data)) < room:
        return True
    needed = cache_rate * len(data) * _size(Compose(prepared)(data[0]))
    if needed < room:
        return True
    if rank() == 0:
        logger.warning(
            f"Prepared, {len(data)} scans take about {needed / 1e9:.2g} GB, for which memory has no room: they are "
            f"kept in {spare_dir}, which takes as much of its disk and may be removed afterwards. --store_dir names "
            "another folder, on a fast disk, which other runs may share."
        )
    return False


def _size(item: Any) -> int:
    """Bytes of the tensors of an item."""
    if isinstance(item, torch.Tensor):
        return item.nbytes
    if isinstance(item, (Mapping, list, tuple)):
        return sum(map(_size, item.values() if isinstance(item, Mapping) else item))
    return 0


class StoredDataset(Dataset):
    """Items of a store, and what the transforms that come after their preparation make of them.

    Args:
        data: items of a list, all of which are put into the store if they are not there.
        transform: all transforms of an item, the first of which are those of the store.
        store: of prepared items.
    """

    def __init__(self, data: Sequence[dict[str, Any]], transform: Compose, store: PreparedStore) -> None:
        super().__init__(data, transform)
        self.store, self.done = store, len(store.prepare.transforms)
        if list(self.transform.transforms[: self.done]) != list(store.prepare.transforms):
            raise ValueError("The transforms of the store are not those that the data set's begin with.")
        prepare_scans(store, data)

    def _transform(self, index: int) -> Any:
        return self.transform(self.store(self.data[index]), start=self.done)
