"""Scans for a training: prepared in memory, or in a store on disk."""

from collections.abc import Callable, Sequence
from typing import Any

from monai.data import CacheDataset, Dataset
from monai.transforms import Compose

from .prepare import prepare_scans
from .prepared_store import NO_STORE, PreparedStore

__all__ = ["StoredDataset", "preparation", "prepared_dataset"]


def prepared_dataset(
    data: Sequence[dict[str, Any]],
    transform: Compose,
    prepared: Sequence[Callable],
    cache_rate: float = 1.0,
    store_dir: str | None = None,
) -> Dataset:
    """A data set whose scans are prepared once.

    Args:
        data: items of a list.
        transform: all that is done to an item.
        prepared: the transforms that it begins with, which draw nothing.
        cache_rate: share of the scans that is kept in memory, where there is no store: with all that is not random.
        store_dir: folder of the store, which needs no memory: the system keeps in it what there is room for.
    """
    if store_dir in NO_STORE:
        return CacheDataset(data, transform, cache_rate=cache_rate)
    return StoredDataset(data, transform, PreparedStore(prepared, store_dir))


def preparation(transforms: Sequence[Callable], store_dir: str | None = None) -> Callable:
    """What prepares one scan: the transforms, or a store that has what they made of it."""
    return Compose(transforms) if store_dir in NO_STORE else PreparedStore(transforms, store_dir)


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
