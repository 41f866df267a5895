"""What is in a file, as a number that is taken once of its bytes."""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from ...atomic import write_json_atomically
from ...errors import InputError

__all__ = ["cache_folder", "content_of", "state_of", "suffix_of"]

BLOCK = 2**20  # bytes
FRESH = 2e9  # nanoseconds: some file systems tell no times that are nearer to each other
known: dict[tuple, str] = {}  # in this process, by the state of a file


def content_of(path: str | os.PathLike) -> str:
    """A number of 32 digits of a file's bytes and of the suffix that decides how they are read.

    A file is read once: what was found is kept in the cache's folder, and believed as long as the file's size and both
    of its times are the same. A copy keeps the time of its last change, and has another time of its status.

    Raises:
        OSError: it cannot be read.
    """
    state = state_of(path)
    if state not in known:
        known[state] = _recorded(state) or _read(path, state)
    return known[state]


def state_of(path: str | os.PathLike) -> tuple:
    """What changes with a file's content: where it is, its size, and its times; its path if there is none."""
    try:
        status = os.stat(path)
        return os.path.realpath(path), suffix_of(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns
    except OSError:
        return (str(path),)


def suffix_of(path: str | os.PathLike) -> str:
    """The end of a name that decides how a file is read, which a link's need not share with what it links to."""
    return next((suffix for suffix in (".nii.gz", ".nii") if str(path).lower().endswith(suffix)), "")


def cache_folder() -> Path:
    """Where what was found in files is kept, a small file each; it may be removed at any time.

    Raises:
        RuntimeError: there is no home.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "isimed_bundles"


def _record(state: tuple) -> Path:
    name = hashlib.blake2b("\n".join(state[:2]).encode(errors="surrogateescape"), digest_size=16).hexdigest()
    return cache_folder() / "contents" / f"{name}.json"


def _recorded(state: tuple) -> str | None:
    with contextlib.suppress(OSError, RuntimeError, ValueError, LookupError, TypeError):
        *of_file, content = json.loads(_record(state).read_text(encoding="utf-8"))
        if of_file == list(state[2:]):
            return str(content)
    return None


def _read(path: str | os.PathLike, state: tuple) -> str:
    digest = hashlib.blake2b(suffix_of(path).encode(), digest_size=16)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    content = digest.hexdigest()
    if state == state_of(path) and time.time_ns() - max(state[3:]) > FRESH:  # else another write may look the same
        with contextlib.suppress(InputError, RuntimeError):
            write_json_atomically(_record(state), [*state[2:], content])
    return content
