"""Long lists of names, in a sentence."""

from collections.abc import Iterable

__all__ = ["some"]

SHOWN = 3


def some(items: Iterable) -> str:
    """The first three of items, and how many more there are.

    Example:
        >>> some(["a", "b"]), some("abcde")
        ('a, b', 'a, b, c and 2 more')
    """
    names = [str(item) for item in items]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
