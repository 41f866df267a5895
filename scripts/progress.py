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

    Args:
        items: what is worked on, one after the other.
        what: is done to them, as the line begins: "WHAT 3 of 20".
        seconds: between lines, at least; nothing is said of what is done by then.
        total: how many items there are, where they do not know it themselves.
    """
    total = len(items) if total is None and isinstance(items, Sized) else total
    of_all, told = "" if total is None else f" of {total}", time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - told >= seconds and rank() == 0:
            logger.info(f"{what} {done}{of_all}")
            told = now
        yield item
