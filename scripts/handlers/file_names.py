"""Names of files of which none overwrites another."""

from collections.abc import Iterable
from itertools import chain, count

__all__ = ["FileNames"]


class FileNames:
    """Gives each name once, in upper or lower case, as some file systems do not tell these apart.

    Args:
        taken: names that are never given.

    Example:
        >>> names = FileNames(["mask"])
        >>> names.take("Liver"), names.take("liver"), names.take("mask")
        ('Liver', 'liver_2', 'mask_2')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {name.casefold() for name in taken}

    def take(self, name: str) -> str:
        """The name, with a number behind if it is taken; now it is."""
        candidates = chain([name], (f"{name}_{i}" for i in count(2)))
        free = next(candidate for candidate in candidates if candidate.casefold() not in self.taken)
        self.taken.add(free.casefold())
        return free
