"""Whether a figure is better than another, or whether that cannot be said."""

from collections.abc import Sequence

__all__ = ["verdict"]


def verdict(better: str, difference: Sequence[float] | None) -> str:
    """What the interval of a difference says of the first of two figures.

    Args:
        better: `lower` or `higher`; nothing where neither is.
        difference: interval of the first less the second, from the same draws; None where there are too few subjects.

    Returns:
        `better`, `worse`, `unsure` where the interval holds 0 or is no number, or nothing.

    Example:
        >>> verdict("lower", (-3.0, -1.0)), verdict("higher", (-3.0, -1.0)), verdict("lower", (-1.0, 2.0))
        ('better', 'worse', 'unsure')
    """
    if not better or difference is None:
        return ""
    low, high = difference
    if low > 0 or high < 0:
        return "better" if (high < 0) == (better == "lower") else "worse"
    return "unsure"
