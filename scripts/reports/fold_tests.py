"""How sure the difference between any two of several classifiers is, over folds and over subjects."""

import itertools
import math

import numpy as np

from ..metrics.fold_statistics import paired_tests
from ..metrics.holm import holm
from ..metrics.subject_tests import subject_test

__all__ = ["pair_tests"]

Tests = dict[tuple[str, str], dict[str, float]]


def pair_tests(of_folds: dict[str, np.ndarray], of_subjects: dict[str, np.ndarray], folds: int) -> Tests:
    """`paired_tests` over folds and `subject_test` over subjects, of each pair in both orders.

    To them come `p_holm` of `p_corrected`, and `p_subjects_holm` of `p_subjects`: each by Holm, over all pairs.

    Args:
        of_folds: the metric of each classifier in each fold that has one.
        of_subjects: of each subject, [S]; nan where a subject has none.
        folds: how many there are; of k, one tests and one validates, so that k - 2 train. Where k - 1 do, as with
            outcomes of subjects, the corrected test is a little stricter than it has to be.
    """
    tests = {
        (first, second): paired_tests(of_folds[first], of_folds[second], 1 / (folds - 2))
        | subject_test(of_subjects[first], of_subjects[second])
        for first, second in itertools.permutations(of_folds, 2)
    }
    _correct(tests, "p_corrected", "p_holm")
    _correct(tests, "p_subjects", "p_subjects_holm")
    return tests


def _correct(tests: Tests, name: str, corrected: str) -> None:
    """Write the corrected p; it is nan where there is none, and such a pair does not count as a comparison."""
    pairs = [pair for pair in tests if pair <= pair[::-1] and not math.isnan(tests[pair][name])]
    found = dict(zip(pairs, holm([tests[pair][name] for pair in pairs]), strict=True))
    for pair, test in tests.items():
        test[corrected] = found.get(min(pair, pair[::-1]), math.nan)
