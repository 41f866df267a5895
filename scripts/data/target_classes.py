"""What crops are told apart by: the classes of label maps and the background, or a class of each subject."""

import numpy as np

from ..errors import InputError
from .outcome import Outcome
from .structures import Structures

__all__ = ["lesion_or_none", "scans_with_classes", "target_classes", "with_background"]

BACKGROUND = "background"


def with_background(classes: Structures) -> Structures:
    """Classes of label maps, in the order of their numbers from 0: what is none of them is the background.

    Example:
        >>> with_background(Structures(("liver",), ((7,),))).names
        ('background', 'liver')
    """
    if BACKGROUND in classes.names:
        raise InputError(f"A class of the label maps is called {BACKGROUND}, as all else is: give it another name.")
    return Structures((BACKGROUND, *classes.names), ((0,), *classes.values))


def target_classes(outcome: Outcome) -> Structures:
    """Classes of subjects, in the order of their numbers; values count from 1, since 0 is where nothing is known.

    Raises:
        InputError: the outcome is no class.
    """
    names = tuple(outcome.class_sizes)
    if not names:
        raise InputError(f"{outcome.name} is no class: give kind binary or classes, or a threshold.")
    return Structures(names, tuple((number,) for number in range(1, len(names) + 1)))


def scans_with_classes(scans: list[dict], outcome: Outcome) -> list[dict]:
    """The scans, each with the number of its subject's class as `class_label`."""
    of_subject = dict(zip(outcome.subject, np.asarray(outcome.class_of).tolist(), strict=True))
    return [scan | {"class_label": float(of_subject[scan["subject"]])} for scan in scans]


def lesion_or_none() -> Structures:
    """Classes of scans by their masks."""
    return Structures(("no lesion", "lesion"), ((1,), (2,)))
