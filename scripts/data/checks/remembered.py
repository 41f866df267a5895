"""What was found in a file is remembered by its content, so that it is found once."""

import contextlib
import dataclasses
import json
import os

from ...atomic import write_json_atomically
from ...errors import InputError
from .content import cache_folder, content_of, state_of
from .scan_facts import Facts, examine

__all__ = ["facts_of"]

VERSION = 1  # of what `examine` finds: a larger number forgets what is remembered
known: dict[tuple, Facts] = {}  # in this process, by path, suffix, size and time


def facts_of(path: str | os.PathLike) -> Facts:
    """`examine`, or what it found in a file of the same bytes before; it never raises."""
    state = state_of(path)
    facts = known.get(state) or _examined(path)
    if not facts.passing:
        known[state] = facts
    return facts


def _examined(path: str | os.PathLike) -> Facts:
    """From the cache's folder, or put there, where that can be read and written."""
    try:
        file = cache_folder() / "scans" / f"{VERSION}-{content_of(path)}.json"
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            return _facts(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, RuntimeError):  # no such file, or no home
        return examine(path)
    facts = examine(path)
    if not facts.passing:
        with contextlib.suppress(InputError):  # which an OSError is there
            write_json_atomically(file, dataclasses.asdict(facts))
    return facts


def _facts(content: dict) -> Facts:
    content["affine"] = map(tuple, content["affine"])
    return Facts(**content | {key: tuple(content[key]) for key in ("shape", "affine", "percentiles")})
