"""A sign of life, every few seconds, of what takes longer."""

import logging
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from .distributed import rank

__all__ = ["with_progress"]

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], what: str, seconds: float = 8, total: int | None = None) -> Iterator[Item]:
    """The items, with a line of the first process whenever so many seconds have passed since the last one.

    A line says how much time is left, where that is a minute or more at the pace until then.

    Args:
        items: what is worked on, one after the other.
        what: is done to them, as the line begins: "WHAT 3 of 20".
        seconds: between lines, at least; nothing is said of what is done by then.
        total: how many items there are, where they do not know it themselves.
    """
    total = len(items) if total is None and isinstance(items, Sized) else total
    began = told = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - told >= seconds and rank() == 0:
            logger.info(f"{what} {done}" + ("" if total is None else f" of {total}{_left(now - began, done, total)}"))
            told = now
        yield item


def _left(seconds: float, done: int, total: int) -> str:
    """How much time is left, as a line ends, if so many of all took so long."""
    minutes = round(seconds / 60 * (total - done) / max(done, 1))
    if not minutes or not done:
        return ""
    return f", about {minutes} min left" if minutes < 90 else f", about {minutes / 60:.0f} h left"
