"""Several tests at once: how small p has to be for any of them."""

from collections.abc import Sequence

__all__ = ["holm"]


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: reject those up to a level, and any wrong rejection has a chance of that level at most.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Statist. 6 (1979).

    Args:
        p: of each test; a nan is no test, and stays nan.

    Returns:
        In the same order.

    Example:
        >>> [round(value, 3) for value in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    order = sorted((value, i) for i, value in enumerate(p) if value == value)
    adjusted, largest = [float("nan")] * len(p), 0.0
    for rank, (value, i) in enumerate(order):
        largest = max(largest, min(1.0, value * (len(order) - rank)))
        adjusted[i] = largest
    return adjusted
