"""One run in a folder at a time."""

import errno
import logging
import os
from pathlib import Path

from monai.utils import optional_import

from ..atomic import explain_failure
from ..distributed import from_first, rank
from ..errors import InputError

__all__ = ["lock_folder"]

logger = logging.getLogger(__name__)

fcntl, has_locks = optional_import("fcntl")  # not on Windows
held: dict[Path, int] = {}  # the open lock file of each folder


def lock_folder(folder: str | os.PathLike) -> None:
    """Keep a folder for the runs of this process, and of those that train with it, as long as it lives.

    The system holds the lock, on the file `.lock`, and releases it when the process ends, however it does. A file
    system that knows no locks is told of in a warning; on Windows there is none.

    Args:
        folder: made if need be.

    Raises:
        InputError: another process has it, or nothing can be written there.
    """
    refusal = None
    if rank() == 0 and has_locks:
        refusal = _lock(Path(folder).absolute())
    if refusal := from_first(refusal):
        raise InputError(refusal)


def _lock(folder: Path) -> str | None:
    """What is to be said where the folder cannot be locked."""
    if folder in held and _is_there(folder):
        return None
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
