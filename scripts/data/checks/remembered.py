"""What was found in a file is remembered by its content, so that it is found once."""

import contextlib
import dataclasses
import hashlib
import json
import os
from pathlib import Path

from ...atomic import write_json_atomically
from ...errors import InputError
from .scan_facts import Facts, examine

__all__ = ["cache_folder", "facts_of", "state_of"]

VERSION = 1  # of what `examine` finds: a larger number forgets what is remembered
BLOCK = 2**20  # bytes
known: dict[tuple, Facts] = {}  # in this process, by path, suffix, size and time


def facts_of(path: str | os.PathLike) -> Facts:
    """`examine`, or what it found in a file of the same bytes before; it never raises."""
    state = state_of(path)
    facts = known.get(state) or _examined(path)
    if not facts.passing:
        known[state] = facts
    return facts


def cache_folder() -> Path:
    """Where the facts of scans are, a small file each; it may be removed at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "isimed_bundles" / "scans"


def state_of(path: str | os.PathLike) -> tuple:
    """What changes with a file's content: where it is, its size, and when it was written; its path if there is none."""
    try:
        status = os.stat(path)
        return os.path.realpath(path), _suffix(path), status.st_size, status.st_mtime_ns
    except OSError:
        return (str(path),)


def _examined(path: str | os.PathLike) -> Facts:
    """From the cache's folder, or put there, where that can be read and written."""
    try:
        file = cache_folder() / f"{_key(path)}.json"
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            return _facts(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, RuntimeError):  # no such file, or no home
        return examine(path)
    facts = examine(path)
    if not facts.passing:
        with contextlib.suppress(InputError):  # which an OSError is there
            write_json_atomically(file, dataclasses.asdict(facts))
    return facts


def _key(path: str | os.PathLike) -> str:
    """Of a file's bytes, and of what decides how they are read."""
    digest = hashlib.blake2b(f"{VERSION} {_suffix(path)}".encode(), digest_size=16)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _suffix(path: str | os.PathLike) -> str:
    """The end of a name that decides how a file is read, which a link's need not share with what it links to."""
    return next((suffix for suffix in (".nii.gz", ".nii") if str(path).lower().endswith(suffix)), "")


def _facts(content: dict) -> Facts:
    content["affine"] = map(tuple, content["affine"])
    return Facts(**content | {key: tuple(content[key]) for key in ("shape", "affine", "percentiles")})
