"""Files whose name always stands for a whole file, whatever stops the process that writes them."""

import csv
import functools
import json
import os
import platform
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from .errors import InputError

__all__ = [
    "explain_failure",
    "fill_folder_atomically",
    "plain",
    "remove_leftovers",
    "save_atomically",
    "savez_atomically",
    "temporary_suffix",
    "write_atomically",
    "write_csv_atomically",
    "write_json_atomically",
]

MACHINE = f"@{platform.node()}"  # others may write into the same folder


def write_atomically(path: str | os.PathLike, write: Callable[[Path], object]) -> None:
    """Write a file so that its name always stands for a whole one: the old or the new.

    MONAI's `CheckpointSaver` writes in place, and Ignite's `Checkpoint` removes the old file of the same name first.

    Args:
        path: the file; its folder is made.
        write: writes the content to the path that it is given.

    Raises:
        InputError: it cannot be written, as where the disk is full.
    """
    path = Path(path)
    with explain_failure(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        temporary = path.with_name(f".{path.name}{temporary_suffix()}")
        try:
            write(temporary)
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def fill_folder_atomically(path: str | os.PathLike, fill: Callable[[Path], object]) -> None:
    """Make a folder so that its name always stands for a whole one. That of another, faster process stays.

    Args:
        path: the folder; the one that it lies in is made.
        fill: writes what it holds into the empty folder that it is given.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    temporary = path.with_name(f".{path.name}{temporary_suffix()}")
    try:
        temporary.mkdir()
        fill(temporary)
        try:
            os.rename(temporary, path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def explain_failure(path: Path) -> Iterator[None]:
    """Make an `OSError` within an `InputError`: which file could not be written, why, and what is left."""
    try:
        yield
    except OSError as error:
        left = "; the file that was there before is whole" if path.is_file() else ""
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}){left}: mend that, or give another folder. The same "
            "command resumes what it can, a training that left a checkpoint.pt with --resume true."
        ) from error


def temporary_suffix() -> str:
    """What the name of a hidden temporary file or folder ends with, so that it is removed if this process is killed.

    Each thread has its own, as two may write the same file.
    """
    return f".{threading.get_ident()}.{os.getpid()}{MACHINE}"


@functools.cache  # once a process
def remove_leftovers(folder: Path) -> None:
    """Remove what processes of this machine were writing when they were killed."""
    for path in folder.glob(f".*{MACHINE}"):
        process = path.name.removesuffix(MACHINE).rpartition(".")[2]
        if not process.isdecimal() or _is_alive(int(process)):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere, signal 0 ends a process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def save_atomically(content, path: str | os.PathLike) -> None:
    """`torch.save` to a name that always stands for a whole file; equal contents are equal bytes."""

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:  # into one of a name, torch writes that name as well
            try:
                torch.save(content, file)
            except RuntimeError as error:  # torch's own, where the disk is full
                raise error.__context__ or error from None

    write_atomically(path, write)


def savez_atomically(path: str | os.PathLike, **arrays: np.ndarray) -> None:
    """`numpy.savez_compressed` to a name that always stands for a whole file."""

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:  # NumPy adds a suffix to names, not to open files
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its option allow_pickle is no array

    write_atomically(path, write)


def write_csv_atomically(path: str | os.PathLike, rows: Iterable[Iterable]) -> None:
    """Write a table, whose first row is its header, to a name that always stands for a whole file."""

    def write(temporary: Path) -> None:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    write_atomically(path, write)


def write_json_atomically(path: str | os.PathLike, content) -> None:
    """Write JSON, to which all that it does not know is made `plain`, to a name that always stands for a whole file."""
    text = json.dumps(content, indent=4, default=plain)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def plain(item):
    """What JSON holds in place of an array or number of NumPy or torch: its values; of all else: its text."""
    return item.tolist() if hasattr(item, "tolist") else str(item)
