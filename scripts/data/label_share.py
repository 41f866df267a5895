"""A share of the labels: subjects drawn by the seed, of each class label alike."""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

import numpy as np

from ..errors import InputError

__all__ = ["by_label", "drawn_share", "labels_of_subjects"]


def labels_of_subjects(scans: Iterable[dict]) -> dict[str, float]:
    """The class label of each subject, the largest of its scans'."""
    labels: dict[str, float] = {}
    for scan in scans:
        labels[scan["subject"]] = max(scan["class_label"], labels.get(scan["subject"], 0.0))
    return labels


def by_label(labels: Mapping[str, float], random: np.random.RandomState) -> list[list[str]]:
    """Subjects of each class label, shuffled."""
    kinds = [[one for one in sorted(labels) if labels[one] == label] for label in sorted(set(labels.values()))]
    return [[str(one) for one in random.permutation(kind)] for kind in kinds]


def drawn_share(labels: Mapping[str, float], share: float, seed: int) -> set[str]:
    """Subjects of a share; a smaller share is part of a larger one.

    Args:
        labels: class label of each subject.
        share: of the subjects of each class label, rounded up.
        seed: draws them.

    Raises:
        InputError: it is no share.

    Example:
        >>> len(drawn_share({f"S{number}": 1.0 for number in range(100)}, 0.07, seed=0))
        7
    """
    if not 0 < share <= 1:
        raise InputError(f"label_share is {share}: give a share of the training subjects above 0 and up to 1.")
    exact = Fraction(str(share))  # 0.07 * 100 is more than 7
    kinds = by_label(labels, np.random.RandomState(seed))
    return {subject for kind in kinds for subject in kind[: math.ceil(exact * len(kind))]}
