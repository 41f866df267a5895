"""Names of anything, as parts of the names of files."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import chain, count

__all__ = ["as_file_names"]

LONGEST = 80  # characters, of the 255 bytes that a file's name may have


def as_file_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Each name in ASCII's letters, digits, - and _ alone, no two alike where upper and lower case are one.

    Args:
        names: of landmarks, say.
        taken: what none of them may be called.

    Example:
        >>> as_file_names(["L4/L5", "Sella turcica", "L4 L5", "été"], taken=["ete"])
        {'L4/L5': 'L4_L5', 'Sella turcica': 'Sella_turcica', 'L4 L5': 'L4_L5_2', 'été': 'ete_2'}
    """
    used, found = {name.lower() for name in taken}, dict[str, str]()
    for name in dict.fromkeys(names):
        plain = _plain(name)
        candidates = chain([plain], (f"{plain}_{number}" for number in count(2)))
        found[name] = next(one for one in candidates if one.lower() not in used)
        used.add(found[name].lower())
    return found


def _plain(name: str) -> str:
    ascii_only = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    return re.sub(r"[^A-Za-z0-9_-]+", "_", ascii_only)[:LONGEST].strip("_") or "unnamed"
