"""One run in a folder at a time."""

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

from monai.utils import optional_import

from ..atomic import explain_failure
from ..distributed import from_first, rank
from ..errors import InputError

__all__ = ["lock_folder", "lock_if_there"]

logger = logging.getLogger(__name__)

fcntl, has_locks = optional_import("fcntl")  # not on Windows
held: dict[Path, int] = {}  # the open lock file of each folder
absent: set[Path] = set()  # folders that were not there when this run began


def lock_folder(folder: str | os.PathLike) -> None:
    """Keep a folder for the runs of this process, and of those that train with it, as long as it lives.

    The system holds the lock, on the file `.lock`, and releases it when the process ends, however it does. A file
    system that knows no locks is told of in a warning; on Windows there is none.

    Args:
        folder: made if need be.

    Raises:
        InputError: another process has it, or had it since `lock_if_there` found none; or nothing can be written there.
    """
    _ask_first(_lock, folder)


def lock_if_there(folder: str | os.PathLike) -> None:
    """Lock a folder that is there, and make none: nothing is written before a run is sure to begin.

    Where it is not there, `lock_folder` refuses it later if another run has been in it meanwhile.

    Args:
        folder: where a run is going to write.

    Raises:
        InputError: another process has it, nothing can be written there, or it could not be made.
    """
    _ask_first(_lock_if_there, folder)


def _ask_first(refusal: Callable[[Path], str | None], folder: str | os.PathLike) -> None:
    """Let the first process decide for all: each looks for itself otherwise, and may find something else."""
    said = None
    if rank() == 0:
        try:
            said = refusal(Path(folder).absolute())
        except InputError as error:
            said = str(error)
    if said := from_first(said):
        raise InputError(said)


def _lock_if_there(folder: Path) -> str | None:
    if folder.is_dir():
        absent.discard(folder)
        return _lock(folder)
    absent.add(folder)
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return None
    why = f"nothing can be written to {nearest}" if nearest.is_dir() else f"{nearest} is no folder"
    return f"{folder} cannot be made, as {why}: give another --output_dir."


def _lock(folder: Path) -> str | None:
    """What is to be said where the folder cannot be locked."""
    if not has_locks or (folder in held and _is_there(folder)):
        return None
    if folder in absent and (folder / ".lock").exists():
        return f"Another run has begun in {folder} since this one did: give another --output_dir."
    with explain_failure(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        # a lock of the process, not of the open file, which processes that load scans would inherit and hold
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        other = os.read(file, 100).decode(errors="replace").strip()
        os.close(file)
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return f"Another run is writing to {folder} ({other}): wait for it, or give another --output_dir."
        logger.warning(f"{folder} cannot be locked ({error.strerror}): start no other run there before this one ends.")
        return None
    os.truncate(file, 0)
    os.pwrite(file, f"process {os.getpid()} on {os.uname().nodename}".encode(), 0)
    held[folder] = file
    return None


def _is_there(folder: Path) -> bool:
    """Whether the folder still has the file that is locked."""
    try:
        return os.path.samestat(os.stat(folder / ".lock"), os.fstat(held[folder]))
    except FileNotFoundError:
        return False
