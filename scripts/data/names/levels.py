"""Which of two parts of scans' names, one before the other, says who the person is.

Where both may, the one with fewer and larger subjects is taken, so that nobody is on two sides of a split; unless what
comes before is a place or a word with more numbers behind it than a person has scans.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from .parts import bare, part_number, rank, repeat_of

__all__ = ["Levels", "without_repeats"]

NUMBERS = 1.5  # rank of names that are numbers alone
MANY = 10  # scans that a person hardly has


@dataclass(frozen=True)
class Levels:
    """Two parts of names: what is before, and what is behind it, which is empty where nothing is."""

    pairs: frozenset[tuple[str, str]]

    @cached_property
    def groups(self) -> dict[str, set[str]]:
        """What is behind each part that is before."""
        groups: dict[str, set[str]] = {}
        for before, behind in self.pairs:
            groups.setdefault(before, set()).update({behind} - {""})
        return groups

    @cached_property
    def most(self) -> int:
        """How many parts are behind the one before that has most."""
        return max(map(len, self.groups.values()), default=0)

    @cached_property
    def shared(self) -> list[str]:
        """What is behind several parts."""
        seen: dict[str, int] = {}
        for names in self.groups.values():
            for name in names:
                seen[name] = seen.get(name, 0) + 1
        return sorted(name for name, number in seen.items() if number > 1)

    @cached_property
    def behind(self) -> set[str]:
        """All that is behind."""
        return set().union(*self.groups.values())

    @property
    def outnumbered(self) -> bool:
        """Whether far more is behind one part than there are parts."""
        return self.most > MANY and self.most > 2 * len(self.groups)

    @cached_property
    def ranks(self) -> tuple[float, float]:
        """How much both parts look like people."""
        return rank(set(self.groups)), rank(self.behind)

    @cached_property
    def person_is_behind(self) -> bool:
        """Whether the part behind says who the person is."""
        if not self.behind or (self.is_code and all(name.startswith(before) for before, name in self.pairs if name)):
            return False
        before, behind = self.ranks
        if self.most > len(self.groups) and all(map(part_number, self.groups)):
            before = 1  # parts with more behind them than there are of them are words, however numbered
        if before == 0 or (behind - before >= 1 and before < 2):
            return True
        if before - behind >= 1 and before >= 1.5:
            return False
        if self.shared and max(self.ranks) > NUMBERS:
            return len(self.behind) > len(self.groups)
        return self.outnumbered or (before == 1 < behind and self.most > len(self.groups))

    @property
    def is_place(self) -> bool:
        """Whether what is before are places or groups of people."""
        return self.ranks[0] == 0

    @property
    def is_code(self) -> bool:
        """Whether what is before is more than words."""
        return self.ranks[0] > 1

    @property
    def behind_is_code(self) -> bool:
        """Whether what is behind is more than words."""
        return self.ranks[1] > 1


def without_repeats(names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Names less a last part in which alone those of one person differ: `P01_a` and `P01_b`, but not `P_01` and `P_02`.

    Returns:
        Each name with what is left of it, and the names that this united although another reading is possible.

    Example:
        >>> without_repeats(["P01_a", "P01_b", "P02_a"])[0]
        {'P01_a': 'P01', 'P01_b': 'P01', 'P02_a': 'P02'}
        >>> without_repeats(["P_01", "P_02"])[0]
        {'P_01': 'P_01', 'P_02': 'P_02'}
    """
    names = sorted(set(names))
    parts = {name: repeat_of(name) for name in names}
    bases = {before for before, last in parts.values() if last and before in parts}
    extended = {name for name in names if parts[name][0] in bases and (len(bases) > 1 or any(map(str.isdigit, name)))}
    levels = Levels(frozenset(part for name, part in parts.items() if part[1] and name not in extended | bases))
    repeats = {last for group in levels.groups.values() if len(group) > 1 for last in group}
    if len(levels.groups) < 2 or not repeats or not _are_repeats(levels, repeats):
        repeats = set()
    united = {name for name in names if name in extended or (name not in bases and parts[name][1] in repeats)}
    if not united:
        return {name: name for name in names}, []
    short = {name: bare(parts[name][0]) or parts[name][0] if name in united else name for name in names}
    shorter, more = without_repeats(short.values())
    doubtful = [name for name in names if short[name] in more or (name in united and parts[name][1].isdigit())]
    return {name: shorter[short[name]] for name in names}, doubtful


def _are_repeats(levels: Levels, repeats: set[str]) -> bool:
    """Whether the last parts of names tell scans of a person apart, and not people."""
    numbers = all(last.isdigit() for last in repeats)
    if levels.is_code:
        return not (numbers and levels.outnumbered) and rank(repeats) <= levels.ranks[0]
    if numbers:
        return bool(levels.shared) and len(levels.groups) >= levels.most
    return bool(levels.shared) and rank(repeats) <= 1
