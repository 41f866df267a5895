"""What crops are told apart by: the classes of label maps and the background, or a class of each subject."""

import logging

import numpy as np

from ..errors import InputError, some
from .outcome import Outcome
from .outcome_columns import as_text
from .structures import Structures
from .subject_table import finite_number

__all__ = [
    "lesion_or_none",
    "require_free_names",
    "scans_of_classes",
    "scans_of_two",
    "scans_with_classes",
    "target_classes",
    "with_background",
]

logger = logging.getLogger(__name__)

BACKGROUND = "background"
# of tables that have a column for each class too
COLUMNS = frozenset(("image", "subject", "scan", "class", "score", "likeliest", "attended", "patches"))


def require_free_names(classes: Structures) -> None:
    """Raise an `InputError` where a class is called as another column of a table of classes is."""
    if taken := [name for name in classes.names if name in COLUMNS]:
        raise InputError(f"A class is called {taken[0]}, as another column of tables is: give it another name.")


def with_background(classes: Structures) -> Structures:
    """Classes of label maps, in the order of their numbers from 0: what is none of them is the background.

    Example:
        >>> with_background(Structures(("liver",), ((7,),))).names
        ('background', 'liver')
    """
    if BACKGROUND in classes.names:
        raise InputError(f"A class of the label maps is called {BACKGROUND}, as all else is: give it another name.")
    require_free_names(classes)
    return Structures((BACKGROUND, *classes.names), ((0,), *classes.values))


def target_classes(outcome: Outcome) -> Structures:
    """Classes of subjects, in the order of their numbers; values count from 1, since 0 is where nothing is known.

    Raises:
        InputError: the outcome is no class, or one is called as a column of a table is.
    """
    names = tuple(outcome.class_sizes)
    if not names:
        raise InputError(f"{outcome.name} is no class: give kind binary or classes, or a threshold.")
    classes = Structures(names, tuple((number,) for number in range(1, len(names) + 1)))
    require_free_names(classes)
    return classes


def scans_with_classes(scans: list[dict], outcome: Outcome) -> list[dict]:
    """The scans, each with the number of its subject's class as `class_label`."""
    of_subject = dict(zip(outcome.subject, np.asarray(outcome.class_of).tolist(), strict=True))
    return [scan | {"class_label": float(of_subject[scan["subject"]])} for scan in scans]


def scans_of_classes(scans: list[dict], column: str, classes: Structures, threshold: float | None = None) -> list[dict]:
    """The scans of a table, each with the number of its subject's class among those that weights tell, `class_label`.

    Args:
        scans: of `scans_in_table`.
        column: of the table.
        classes: of the weights, as `target_classes` gave them.
        threshold: of a quantity, as in training.

    Raises:
        InputError: some subject is of none of these classes.
    """
    known = {scan["subject"]: _class_name(scan["table"][column], classes, threshold) for scan in scans}
    if wrong := [f"{subject} ({name})" for subject, name in known.items() if name not in classes.names]:
        raise InputError(
            f"By {column}, {some(wrong)} are of no class that these weights tell, which are {some(classes.names, 10)}: "
            "give target the column of their training, with its threshold, or write n/a for these subjects."
        )
    return [scan | {"class_label": float(classes.names.index(known[scan["subject"]]))} for scan in scans]


def _class_name(text: str, classes: Structures, threshold: float | None) -> str:
    number = finite_number(text)
    if threshold is None or number is None:
        return as_text(text)
    name = f"{'above' if number > threshold else 'up to'} {threshold:g}"  # as an `Outcome` calls it
    return name if name in classes.names else ("yes" if number > threshold else "no")


def scans_of_two(scans: list[dict], classes: Structures) -> list[dict]:
    """The scans, whose classes are whether their masks hold a lesion.

    Raises:
        InputError: the weights tell other classes than two.
    """
    if len(classes.names) != 2:
        raise InputError(
            f"Masks say whether there is a lesion, and these weights tell {some(classes.names, 10)}: give "
            "evaluate_outcomes.json behind evaluate.json, with the table of their training."
        )
    if classes.names != lesion_or_none().names:
        logger.warning(
            f"A scan whose mask holds a lesion is taken to be of the class {classes.names[1]}: if it is not, give "
            "evaluate_outcomes.json behind evaluate.json, with the table of the training of these weights."
        )
    return scans


def lesion_or_none() -> Structures:
    """Classes of scans by their masks."""
    return Structures(("no lesion", "lesion"), ((1,), (2,)))
