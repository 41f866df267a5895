"""k-fold cross-validation, by subject and stratified by class label."""

from collections.abc import Iterable
from itertools import chain

import numpy as np

from ..errors import InputError
from .label_share import by_label, drawn_share, labels_of_subjects

__all__ = ["SubjectFolds", "require_enough"]

FEWEST = 3  # one trains, one validates, one is tested


class SubjectFolds:
    """Subjects dealt into folds at random, stratified: each fold has its share of each class label.

    scikit-learn's `StratifiedGroupKFold` would deal them as well, but a training does without that package.

    Args:
        scans: with `subject` and `class_label`; the class label of a subject is the largest of its scans'.
        folds: how many, at least 3: one to test, one to validate, the others to train.
        seed: the same seed and subjects give the same folds.
        share_seed: draws whose labels a share has; None: the seed. With others, the folds stay as they are.

    Raises:
        InputError: there are fewer subjects than folds, or fewer than 3 folds.

    Attributes:
        assigned: number of the fold of each subject, from 0.
        number: of folds.

    Example:
        >>> scans = [{"subject": name, "class_label": float(name.isupper())} for name in "abcABC"]
        >>> [len(part) for part in SubjectFolds(scans, folds=3, seed=0).parts(fold=0).values()]
        [2, 2, 2]
        >>> sorted(name.isupper() for name in SubjectFolds(scans, folds=3, seed=0).parts(fold=0)["test"])
        [False, True]
    """

    def __init__(self, scans: list[dict], folds: int, seed: int, share_seed: int | None = None) -> None:
        self.labels = labels_of_subjects(scans)
        require_enough(len(self.labels), folds)
        order = chain.from_iterable(by_label(self.labels, np.random.RandomState(seed)))
        self.assigned = {subject: i % folds for i, subject in enumerate(order)}
        self.number, self.share_seed = folds, seed if share_seed is None else share_seed

    def parts(self, fold: int, share: float = 1.0) -> dict[str, set[str]]:
        """Subjects that train, validate and test in a fold; the fold after it validates.

        Args:
            fold: that is tested.
            share: of the training subjects of each class label, rounded up; a smaller share is part of a larger one.

        Raises:
            InputError: there is no such fold or share.
        """
        if not 0 <= fold < self.number:
            raise InputError(f"fold is {fold}: give one from 0 to {self.number - 1}.")
        after = (fold + 1) % self.number
        train = {one: self.labels[one] for one, number in self.assigned.items() if number not in (fold, after)}
        return {
            "train": drawn_share(train, share, self.share_seed),
            "validate": {subject for subject, number in self.assigned.items() if number == after},
            "test": {subject for subject, number in self.assigned.items() if number == fold},
        }

    def rows(self, subjects: Iterable[str], fold: int, share: float = 1.0) -> dict[str, np.ndarray]:
        """Of these N subjects, which are in each of `parts`: true or false, [N]."""
        parts = self.parts(fold, share)
        return {name: np.array([subject in part for subject in subjects]) for name, part in parts.items()}


def require_enough(subjects: int, folds: int) -> None:
    """Raise an `InputError` where so many subjects cannot be dealt into so many folds."""
    if folds >= FEWEST and subjects >= folds:
        return
    fewer = f"{FEWEST} to {subjects} folds, or more subjects"
    cure = (
        f"{FEWEST} folds or more" if folds < FEWEST else fewer if subjects >= FEWEST else f"scans of {FEWEST} or more"
    )
    raise InputError(
        f"{subjects} subjects cannot be cross-validated in {folds} folds: give {cure} (those that the encoder was "
        "trained on are left out)."
    )
