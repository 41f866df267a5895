"""Which subjects the names of a table mean."""

import re
from collections.abc import Iterable

__all__ = ["match_names"]


def match_names(names: Iterable[str], subjects: Iterable[str]) -> dict[str, str]:
    """Which subject each name of a table means, where that is beyond doubt; the other names are left out.

    A name means the subject that is written alike. Else spreadsheets may have taken it for a number: `1`, or `1.0`, is
    `001` or BIDS' `sub-001`; and `P7` is `sub-P7`, as a name may lack BIDS' prefix.

    Example:
        >>> match_names(["1", "02", "P3", "4"], ["001", "sub-02", "sub-P3", "4", "04"])
        {'1': '001', '02': 'sub-02', 'P3': 'sub-P3', '4': '4'}
    """
    names, subjects = list(dict.fromkeys(names)), set(subjects)
    exact = subjects.intersection(names)
    meant = _alone(_plain, subjects - exact)
    meaning = _alone(_plain, (name for name in names if name not in exact))
    loose = {meaning[key]: meant[key] for key in meaning.keys() & meant.keys()}
    return {name: name if name in exact else loose[name] for name in names if name in exact or name in loose}


def _plain(name: str) -> str:
    """A name without BIDS' prefix and, where it is a number, without what a spreadsheet changes in it."""
    name = re.sub(r"^sub-", "", name.strip(), flags=re.IGNORECASE)
    number = re.fullmatch(r"0*(\d+)(\.0+)?", name)
    return number[1] if number else name


def _alone(key, items: Iterable[str]) -> dict[str, str]:
    """Items by their keys, less those that share one."""
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return {name: same[0] for name, same in found.items() if len(same) == 1}
