"""What crops are told apart by: the classes of label maps and the background, or a class of each subject."""

import numpy as np

from ..errors import InputError
from .outcome import Outcome
from .structures import Structures

__all__ = ["lesion_or_none", "require_free_names", "scans_with_classes", "target_classes", "with_background"]

BACKGROUND = "background"
# of tables that have a column for each class too
COLUMNS = frozenset(("image", "subject", "class", "likeliest", "attended", "patches"))


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


def lesion_or_none() -> Structures:
    """Classes of scans by their masks."""
    return Structures(("no lesion", "lesion"), ((1,), (2,)))
