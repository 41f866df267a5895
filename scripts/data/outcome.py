"""What is to be predicted of subjects: one of some classes, or a quantity."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, some
from .stratified_folds import stratified_folds
from .subject_table import finite_number

__all__ = ["Outcome", "read_outcome"]

logger = logging.getLogger(__name__)

MOST_CLASSES = 10  # that numbers are taken for; more of them may be a quantity
FEWEST_OF_A_CLASS = 3  # so that one is left wherever a classifier is fitted, in folds within folds


@dataclass(frozen=True)
class Outcome:
    """What is known of S subjects.

    Attributes:
        name: of what is predicted.
        subject: in the order of their names.
        target: number of the class from 0, or the quantity, [S].
        classes: what classes are called; none where it is a quantity.
        threshold: of a quantity, above which it is one of two classes beside; None: it is a quantity alone.
        covariates: [S, K].
    """

    name: str
    subject: list[str]
    target: np.ndarray
    classes: tuple[str, ...]
    threshold: float | None
    covariates: np.ndarray

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
        """Fold of each subject, [S]: each has its share of every class, or of small and large quantities.

        Raises:
            InputError: there are fewer subjects than folds.
        """
        if len(self.subject) < number:
            raise InputError(
                f"{len(self.subject)} subjects cannot be cross-validated in {number} folds: give fewer folds, or more "
                "subjects (those that the encoder was trained on are left out)."
            )
        return stratified_folds(self.target, number, seed, ordered=not self.classes)


def read_outcome(
    scans: list[dict],
    column: str,
    kind: str | None = None,
    threshold: float | None = None,
    covariates: Iterable[str] = (),
) -> Outcome:
    """Read the outcome of subjects from what a table says of them.

    Args:
        scans: of `scans_in_table`.
        column: of the outcome.
        kind: `class`, `quantity`, or None: a quantity where there is a threshold, else a class if the column has texts
            or few different numbers.
        threshold: of a quantity; with `class`, the classes are whether the column is above it.
        covariates: columns that may explain the outcome without a scan; texts become a column of 0 and 1 each.

    Raises:
        InputError: the column is not of that kind, it is unclear of which, or there are too few subjects of a class.
    """
    rows = {scan["subject"]: scan["table"] for scan in scans}
    subject = sorted(rows)
    texts = [rows[name][column] for name in subject]
    known = _covariates(rows, subject, list(covariates))
    if kind != "quantity" and threshold is None:
        classes = _classes(column, texts, kind)
        numbers = np.array([classes.index(_plain(text)) for text in texts])
        outcome = Outcome(column, subject, numbers, classes, None, known)
    elif kind == "class":
        above = (_quantities(column, texts, subject) > threshold).astype(int)
        outcome = Outcome(f"{column} above {threshold:g}", subject, above, ("no", "yes"), None, known)
    else:
        outcome = Outcome(column, subject, _quantities(column, texts, subject), (), threshold, known)
    _require_all_classes(outcome)
    return outcome


def _classes(column: str, texts: list[str], kind: str | None) -> tuple[str, ...]:
    found = {_plain(text) for text in texts}
    numbers = {text: finite_number(text) for text in found}
    if None in numbers.values():
        wrong = _among_numbers(texts)
        if wrong and kind is None:
            raise InputError(
                f"{column} has numbers and, of {len(wrong)} subjects, {some(sorted({*wrong}))}: write n/a where it is "
                "not known, or give outcome class if each of them is a class of its own."
            )
        return tuple(sorted(found))
    if kind is None and len(found) > MOST_CLASSES:
        raise InputError(
            f"{column} has {len(found)} different numbers ({some(sorted(found))}): give outcome quantity, or class if "
            "each of them is a class of its own."
        )
    return tuple(sorted(found, key=float))


def _quantities(column: str, texts: list[str], subject: list[str]) -> np.ndarray:
    numbers = [finite_number(text) for text in texts]
    for text, number, name in zip(texts, numbers, subject, strict=True):
        if number is None:
            raise InputError(f"{column} of {name} is {text}, which is no number: correct it, or give outcome class.")
    if len(set(numbers)) < 2:
        raise InputError(f"{column} is {texts[0]} for all subjects: give label_column a column that differs.")
    return np.array(numbers, dtype=float)


def _covariates(rows: dict[str, dict[str, str]], subject: list[str], columns: list[str]) -> np.ndarray:
    coded = [_coded(column, [rows[name][column] for name in subject]) for column in columns]
    return np.concatenate([np.empty((len(subject), 0)), *coded], axis=1)


def _coded(column: str, texts: list[str]) -> np.ndarray:
    """A column of numbers as it is, [S, 1]; one of texts as 0 and 1, [S, different texts]."""
    numbers = [finite_number(text) for text in texts]
    if None not in numbers:
        return np.array(numbers, dtype=float)[:, None]
    if wrong := _among_numbers(texts):
        raise InputError(
            f"{column} has numbers and, of {len(wrong)} subjects, {some(sorted({*wrong}))}: write n/a where it is not "
            "known or, if all are classes, a letter before the numbers."
        )
    return np.array([[text == kind for kind in sorted(set(texts))] for text in texts], dtype=float)


def _among_numbers(texts: list[str]) -> list[str]:
    """Those that are no numbers, where others are."""
    wrong = [text for text in texts if finite_number(text) is None]
    return wrong if len(wrong) < len(texts) else []


def _plain(text: str) -> str:
    """A number as it is usually written: `1.0` is `1`."""
    number = finite_number(text)
    return text if number is None else f"{number:.15g}"


def _require_all_classes(outcome: Outcome) -> None:
    """Log how many subjects each class has, or say which has too few."""
    sizes = outcome.class_sizes
    if not sizes:
        return
    if len(sizes) < 2:
        (name,) = sizes
        raise InputError(f"{outcome.name} is {name} for all subjects: give label_column a column that differs.")
    few = min(sizes, key=sizes.__getitem__)
    if sizes[few] < FEWEST_OF_A_CLASS:
        raise InputError(
            f"Of subjects with {few} as {outcome.name} there are {sizes[few]}: a class needs "
            f"{FEWEST_OF_A_CLASS} at least (the log says who was left out, and why)."
        )
    said = ", ".join(f"{number} {name}" for name, number in sizes.items())
    logger.info(f"Subjects by {outcome.name}: {said}.")
