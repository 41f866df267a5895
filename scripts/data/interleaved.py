"""Scans in an order in which those of one subject are apart."""

from collections import Counter
from collections.abc import Sequence

__all__ = ["interleaved"]


def interleaved(scans: Sequence[dict]) -> list[dict]:
    """The first scan of each subject, then the second of each, and so on: a batch is of as many subjects as can be.

    Sorted by path, as cohorts are, all scans of a subject follow each other.

    Args:
        scans: each with its `subject`.

    Example:
        >>> scans = [{"subject": name[0], "image": name} for name in ("A1", "A2", "B1")]
        >>> [scan["image"] for scan in interleaved(scans)]
        ['A1', 'B1', 'A2']
    """
    met, rounds = Counter[str](), []
    for scan in scans:
        rounds.append(met[scan["subject"]])
        met[scan["subject"]] += 1
    return [scan for _, scan in sorted(zip(rounds, scans, strict=True), key=lambda one: one[0])]
