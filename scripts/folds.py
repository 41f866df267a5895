"""Cross-validation whose folds share no subject."""

import numpy as np

from .errors import InputError

__all__ = ["parts_of_fold", "subject_folds"]


def subject_folds(labels: dict[str, int], folds: int, seed: int) -> dict[str, int]:
    """Deal subjects into folds at random, so that each fold has its share of each label.

    Args:
        labels: label of each subject, such as whether it has a lesion.
        folds: how many, at least 3: one to test, one to validate, the others to train.
        seed: the same seed and subjects give the same folds.

    Returns:
        Number of the fold of each subject, from 0.

    Raises:
        InputError: there are fewer subjects than folds, or fewer than 3 folds.
    """
    if folds < 3 or len(labels) < folds:
        raise InputError(
            f"{len(labels)} subjects cannot be cross-validated in {folds} folds: set folds from 3 to that."
        )
    random, order = np.random.RandomState(seed), []
    for label in sorted(set(labels.values())):
        order += list(random.permutation([subject for subject in sorted(labels) if labels[subject] == label]))
    return {str(subject): number % folds for number, subject in enumerate(order)}


def parts_of_fold(subjects: list[str], assigned: dict[str, int], fold: int) -> dict[str, np.ndarray]:
    """Which items train, validate and test in a fold; the fold after it validates.

    Args:
        subjects: of each item, [N].
        assigned: fold of each subject, of `subject_folds`.
        fold: that is tested.

    Returns:
        Masks [N] under `train`, `validate` and `test`.
    """
    number = np.array([assigned[subject] for subject in subjects])
    test, validate = number == fold, number == (fold + 1) % (max(assigned.values()) + 1)
    return {"train": ~test & ~validate, "validate": validate, "test": test}
