"""A folder of prepared scans, each found by all that decided what it is."""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.transforms import Compose

from ...atomic import fill_folder_atomically
from ...errors import InputError
from ..checks.content import content_of
from .identity import identity_of, number_of
from .items import ITEM, is_whole, read_item, write_item

__all__ = ["NO_PART", "NO_STORE", "PreparedStore", "files_of"]

DAY = 86400  # seconds
NO_STORE = (None, "null")  # what is in the place of a folder where there is none
NO_PART = {"scan", "person", "fingerprint", "fingerprints"}  # what an item is called in its list, whatever is in it


class PreparedStore:
    """Transforms of a scan that are run once: their result is kept in a folder, and read from there.

    The name of an entry is a number of the transforms' arguments and code, of the versions of Python, MONAI and the
    packages that it computes with, and of the item: the contents of its files, wherever they lie, and all else that is
    in it but `NO_PART`. Whatever of these changes, the scan is prepared anew; what an entry was made for is never
    changed.

    Values of an item that the transforms left as they were are those of the item that is asked for. Large arrays are
    mapped from their files, so that a crop of one reads that crop.

    Args:
        transforms: from an item to the prepared one, at each time the same.
        folder: of the store; several processes and trainings may share it.
    """

    # MONAI seeds all that it finds in a data set, one after the other, and finds nothing here: draws stay the same
    __slots__ = ("folder", "identity", "prepare")

    def __init__(self, transforms: Sequence[Callable], folder: str | os.PathLike) -> None:
        self.prepare, self.folder = Compose(transforms), Path(folder)
        self.identity = identity_of(transforms)

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The prepared item of an item.

        Raises:
            InputError: it is not in the store, and cannot be put there.
        """
        self.keep(data)
        return self.open(data)

    def __contains__(self, data: Mapping[str, Any]) -> bool:
        return is_whole(self.path_of(data))

    def open(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The prepared item of one that is in the store."""
        path = self.path_of(data)
        _mark(path)
        entry = read_item(path, list(files_of(data)))
        return {key: data[key] for key in entry["left"]} | entry["made"]

    def keep(self, data: Mapping[str, Any], scans: int = 1) -> None:
        """Put the prepared item of an item into the store, if it is not there.

        Args:
            data: the item.
            scans: how many are to be put there, where it is the next of several.

        Raises:
            InputError: it cannot be written, or its files changed meanwhile.
        """
        if data in self:
            return
        path, made = self.path_of(data), self.prepare(data)
        if path != self.path_of(data):
            raise InputError(
                f"{', '.join(files_of(data))} changed while it was prepared: begin again when it is whole."
            )
        left = [key for key, value in data.items() if made.get(key) is value]
        content = {"left": left, "made": {key: value for key, value in made.items() if key not in left}}
        files = list(files_of(data))
        about = {"files": {os.path.abspath(name): content_of(name) for name in files}, **self.identity}
        if path.is_dir() and not is_whole(path):  # in this order, as another process may put it there
            shutil.rmtree(path, ignore_errors=True)  # what a broken disk left
        try:
            fill_folder_atomically(path, lambda folder: write_item(folder, content, files, about))
        except OSError as error:
            raise InputError(self._refusal(error, made, scans)) from error

    def path_of(self, data: Mapping[str, Any]) -> Path:
        """The folder of an item's entry, which need not be there."""
        decided = {key: _content(value) for key, value in data.items() if key not in NO_PART}
        return self.folder / number_of([self.identity, decided])

    def mark(self, data: Mapping[str, Any]) -> None:
        """Leave word that an entry is in use."""
        _mark(self.path_of(data))

    def _refusal(self, error: OSError, made: Mapping[str, Any], scans: int) -> str:
        size = sum(value.nbytes for value in made.values() if isinstance(value, torch.Tensor)) / 1e9
        more = f", and {scans} scans of that size {scans * size:.2g} GB" if scans > 1 else ""
        reason = error.strerror or "the disk is full"  # of which NumPy says how many numbers it did not take
        return (
            f"{self.folder} cannot take another prepared scan ({reason}), which needs {size:.2g} GB{more}: make room, "
            "or give another folder as --store_dir. What is in it is whole and stays."
        )


def _mark(path: Path) -> None:
    """Once a day is enough."""
    with contextlib.suppress(OSError):
        if time.time() - (path / ITEM).stat().st_mtime > DAY:
            os.utime(path / ITEM)


def files_of(value: Any) -> Iterator[str]:
    """Paths of the files that an item names, in the order of its keys, as each of its lists has them."""
    if isinstance(value, str) and os.path.isfile(value):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for part in [value[key] for key in sorted(value)] if isinstance(value, Mapping) else value:
            yield from files_of(part)


def _content(value: Any) -> Any:
    """What decides of a value what is made of it: of a path, what the file holds."""
    if isinstance(value, str):
        return ["file", content_of(value)] if os.path.isfile(value) else value
    if isinstance(value, Mapping):
        return [[key, _content(part)] for key, part in value.items()]  # of images, their order is that of channels
    if isinstance(value, (list, tuple)):
        return [_content(part) for part in value]
    if isinstance(value, (np.ndarray, torch.Tensor)):
        array = np.asarray(value)
        return [array.dtype.str, array.shape, hashlib.blake2b(array.tobytes()).hexdigest()]
    return value if value is None or isinstance(value, (bool, int, float)) else repr(value)
