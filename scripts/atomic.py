"""Files whose name always stands for a whole file, whatever stops the process that writes them."""

import csv
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch

__all__ = [
    "plain",
    "save_atomically",
    "savez_atomically",
    "write_atomically",
    "write_csv_atomically",
    "write_json_atomically",
]


def write_atomically(path: str | os.PathLike, write: Callable[[Path], object]) -> None:
    """Write a file so that its name always stands for a whole one: the old or the new.

    MONAI's `CheckpointSaver` writes in place, and Ignite's `Checkpoint` removes the old file of the same name first.

    Args:
        path: the file; its folder is made.
        write: writes the content to the path that it is given.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_atomically(content, path: str | os.PathLike) -> None:
    """`torch.save` to a name that always stands for a whole file."""
    write_atomically(path, lambda temporary: torch.save(content, temporary))


def savez_atomically(path: str | os.PathLike, **arrays: np.ndarray) -> None:
    """`numpy.savez_compressed` to a name that always stands for a whole file."""

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:  # NumPy adds a suffix to names, not to open files
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its option allow_pickle is no array

    write_atomically(path, write)


def write_csv_atomically(path: str | os.PathLike, rows: Iterable[Iterable]) -> None:
    """Write a table, whose first row is its header, to a name that always stands for a whole file."""

    def write(temporary: Path) -> None:
        with open(temporary, "w", newline="") as file:
            csv.writer(file).writerows(rows)

    write_atomically(path, write)


def write_json_atomically(path: str | os.PathLike, content) -> None:
    """Write JSON, to which all that it does not know is made `plain`, to a name that always stands for a whole file."""
    text = json.dumps(content, indent=4, default=plain)
    write_atomically(path, lambda temporary: temporary.write_text(text))


def plain(item):
    """What JSON holds in place of an array or number of NumPy or torch: its values; of all else: its text."""
    return item.tolist() if hasattr(item, "tolist") else str(item)
