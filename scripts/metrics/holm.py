"""Several tests at once: p values that allow for how many there are."""

from collections.abc import Sequence

__all__ = ["holm"]


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values, [N], in the order of the p values [N]; nan, where there was no test, stays and does not count.

    All below a level are significant, with no more than that probability of any false one among them.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6
    (1979).

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted, largest = [float("nan")] * len(p), 0.0
    tests = sorted((value, i) for i, value in enumerate(p) if value == value)
    for rank, (value, i) in enumerate(tests):
        largest = max(largest, min(1.0, (len(tests) - rank) * value))
        adjusted[i] = largest
    return adjusted
