"""Folds that are alike: dealt at random, each with its share of every kind."""

import numpy as np

__all__ = ["stratified_folds"]


def stratified_folds(target: np.ndarray, folds: int, seed: int, ordered: bool) -> np.ndarray:
    """Deal N items into folds whose sizes differ by one at most, and whose kinds do.

    scikit-learn's `StratifiedKFold` knows classes alone, and counts values of a quantity as such.

    Args:
        target: class or quantity of each item, [N].
        folds: how many.
        seed: the same seed and targets give the same folds.
        ordered: a quantity, of which each fold gets one of the K smallest, one of the next K, and so on.

    Returns:
        Number of the fold of each item from 0, [N].

    Example:
        >>> stratified_folds(np.array([0, 0, 0, 0, 1, 1]), folds=2, seed=0, ordered=False).tolist()
        [1, 1, 0, 0, 0, 1]
    """
    kinds = target.argsort(kind="stable").argsort() // folds if ordered else target
    order = np.lexsort((np.random.RandomState(seed).rand(len(target)), kinds))
    assigned = np.empty(len(target), dtype=int)
    assigned[order] = np.arange(len(target)) % folds
    return assigned
