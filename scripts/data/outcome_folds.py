"""Trainings in folds that are alike in an outcome, and what each scan is to be told as."""

import numpy as np

from ..errors import InputError
from .outcome import Outcome

__all__ = ["OutcomeFolds", "scans_with_targets"]


class OutcomeFolds:
    """The folds of `Outcome.folds`, each with subjects that train, that validate and that test.

    Args:
        outcome: of the subjects.
        number: of folds, at least 3.
        seed: the same seed and outcome give the same folds.

    Raises:
        InputError: there are fewer subjects, or fewer events, than folds; those of a fold choose the epoch.

    Attributes:
        fold: of each subject, [S].
    """

    def __init__(self, outcome: Outcome, number: int, seed: int) -> None:
        self.subject, self.number, self.fold = outcome.subject, number, outcome.folds(number, seed)
        if outcome.event is not None and outcome.event.sum() < number:
            raise InputError(f"{outcome.event.sum()} subjects have an event, less than one a fold: lower folds.")

    def parts(self, fold: int, share: float = 1.0) -> dict[str, set[str]]:
        """Subjects that train, validate and test in a fold; the fold after it validates, and all others train.

        Args:
            fold: that is tested.
            share: 1, as all of the training subjects are trained on.
        """
        numbers = {"validate": (fold + 1) % self.number, "test": fold}
        held = {name: self._of(self.fold == number) for name, number in numbers.items()}
        return {"train": {*self.subject} - held["validate"] - held["test"], **held}

    def _of(self, chosen: np.ndarray) -> set[str]:
        return {name for name, one in zip(self.subject, chosen, strict=True) if one}


def scans_with_targets(scans: list[dict], outcome: Outcome) -> list[dict]:
    """The scans, each with the `target` of its subject, float32: the number of its class or its quantity, [1], or its
    time and whether that is of an event, [2]."""
    columns = [outcome.target] if outcome.event is None else [outcome.target, outcome.event]
    targets = dict(zip(outcome.subject, np.stack(columns, 1).astype(np.float32), strict=True))
    return [scan | {"target": targets[scan["subject"]]} for scan in scans]
