"""A sign of life, every few seconds, of what takes longer."""

import logging
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

__all__ = ["with_progress"]

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], what: str, seconds: float = 8) -> Iterator[Item]:
    """The items, with a line whenever so many seconds have passed since the last one.

    Args:
        items: what is worked on, one after the other.
        what: is done to them, as the line begins: "WHAT 3 of 20".
        seconds: between lines, at least; nothing is said of what is done by then.
    """
    total, told = f" of {len(items)}" if isinstance(items, Sized) else "", time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - told >= seconds:
            logger.info(f"{what} {done}{total}")
            told = now
        yield item
