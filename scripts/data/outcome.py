"""What is to be predicted of subjects: one of some classes, a quantity, or when an event comes."""

from dataclasses import dataclass

import numpy as np

from .folds import require_enough
from .stratified_folds import stratified_folds

__all__ = ["Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What is known of S subjects.

    Attributes:
        name: of what is predicted.
        subject: in the order of their names.
        target: number of the class from 0, the quantity, or the time to an event or to where nobody knows more, [S].
        classes: what classes are called; none where it is a quantity or a time.
        threshold: of a quantity, above which it is one of two classes beside; None: it is a quantity alone.
        covariates: [S, K].
        event: of a time, whether it is that of an event, [S], bool; None where it is no time.
    """

    name: str
    subject: list[str]
    target: np.ndarray
    classes: tuple[str, ...]
    threshold: float | None
    covariates: np.ndarray
    event: np.ndarray | None = None

    @property
    def is_quantity(self) -> bool:
        """Whether it is neither a class nor a time."""
        return not self.classes and self.event is None

    @property
    def class_of(self) -> np.ndarray | None:
        """Number of each subject's class, [S]; None where there are no classes."""
        if self.classes:
            return self.target
        return None if self.threshold is None else (self.target > self.threshold).astype(int)

    @property
    def class_sizes(self) -> dict[str, int]:
        """Subjects of each class, by what it is called; none where there are no classes."""
        if self.class_of is None:
            return {}
        names = self.classes or (f"up to {self.threshold:g}", f"above {self.threshold:g}")
        return dict(zip(names, np.bincount(self.class_of, minlength=len(names)).tolist(), strict=True))

    def folds(self, number: int, seed: int) -> np.ndarray:
        """Fold of each subject, [S]: each has its share of every class, of events, or of small and large quantities.

        Raises:
            InputError: there are fewer subjects than folds.
        """
        require_enough(len(self.subject), number)
        kind = self.target if self.event is None else self.event.astype(int)
        return stratified_folds(kind, number, seed, ordered=self.is_quantity)
