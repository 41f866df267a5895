"""What a table says is to be predicted of subjects: which column, of which kind, and whether that can be done."""

import logging
from collections.abc import Iterable

import numpy as np

from ..errors import InputError
from .outcome import Outcome
from .outcome_columns import as_classes, as_covariates, as_events, as_quantities, as_text, as_times

__all__ = ["columns_of", "read_outcome"]

logger = logging.getLogger(__name__)

FEWEST_OF_A_CLASS = 3  # so that one is left wherever a classifier is fitted, in folds within folds


def columns_of(target: str | None, event: str | None = None, covariates: Iterable[str] = ()) -> list[str]:
    """The columns of a table that an outcome is read from.

    Raises:
        InputError: none is to be predicted.
    """
    if target in (None, "null"):
        raise InputError("No target is given: give the column of the table that is to be predicted, such as age.")
    return [str(target), *([] if event in (None, "null") else [str(event)]), *covariates]


def read_outcome(
    scans: list[dict],
    column: str,
    kind: str | None = None,
    threshold: float | None = None,
    event: str | None = None,
    covariates: Iterable[str] = (),
) -> Outcome:
    """Read the outcome of subjects from what a table says of them.

    Args:
        scans: of `scans_in_table`.
        column: of the outcome; of survival, of times.
        kind: `regression`, `binary`, `classes`, `survival`, or None: regression where there is a threshold, survival
            where there is an event, else classes if the column has texts or few different numbers.
        threshold: of a quantity; with `binary`, the classes are whether the column is above it.
        event: column of survival, 1 where the time is that of an event, 0 where nobody knows of later.
        covariates: columns that may explain the outcome without a scan; texts become a column of 0 and 1 each.

    Raises:
        InputError: the column is not of that kind, it is unclear of which, or there are too few subjects of a class.
    """
    rows = {scan["subject"]: scan["table"] for scan in scans}
    subject = sorted(rows)
    texts = [rows[name][column] for name in subject]
    known = as_covariates(rows, subject, list(covariates))
    if kind == "survival" or event is not None:
        _require_survival(kind, threshold, event)
        times, events = as_times(column, texts, subject), as_events(rows, str(event))
        outcome = Outcome(column, subject, times, (), None, known, events)
    elif kind != "regression" and threshold is None:
        classes = as_classes(column, texts, kind)
        numbers = np.array([classes.index(as_text(text)) for text in texts])
        outcome = Outcome(column, subject, numbers, classes, None, known)
    elif kind in ("binary", "classes"):
        above = (as_quantities(column, texts, subject) > threshold).astype(int)
        outcome = Outcome(f"{column} above {threshold:g}", subject, above, ("no", "yes"), None, known)
    else:
        outcome = Outcome(column, subject, as_quantities(column, texts, subject), (), threshold, known)
    _require_all_classes(outcome)
    _require_events(outcome)
    return outcome


def _require_survival(kind: str | None, threshold: float | None, event: str | None) -> None:
    if event is None:
        raise InputError("kind survival needs event: the column that is 1 where the time is that of an event, else 0.")
    if kind not in ("survival", None) or threshold is not None:
        wrong = f"kind {kind}" if threshold is None else f"threshold {threshold:g}"
        raise InputError(f"event {event} is of kind survival, and {wrong} is not: give one of them.")


def _require_events(outcome: Outcome) -> None:
    """Log how many subjects have an event, or say that these are too few."""
    if outcome.event is None:
        return
    events, subjects = int(outcome.event.sum()), len(outcome.subject)
    if events < FEWEST_OF_A_CLASS:
        raise InputError(
            f"Of {subjects} subjects, {events} have an event: {FEWEST_OF_A_CLASS} at least are needed (the log says "
            "who was left out, and why)."
        )
    logger.info(f"Subjects by {outcome.name}: {events} with an event, {subjects - events} without.")


def _require_all_classes(outcome: Outcome) -> None:
    """Log how many subjects each class has, or say which has too few."""
    sizes = outcome.class_sizes
    if not sizes:
        return
    if len(sizes) < 2:
        (name,) = sizes
        raise InputError(f"{outcome.name} is {name} for all subjects: give target a column that differs.")
    few = min(sizes, key=sizes.__getitem__)
    if sizes[few] < FEWEST_OF_A_CLASS:
        raise InputError(
            f"Of subjects with {few} as {outcome.name} there are {sizes[few]}: a class needs "
            f"{FEWEST_OF_A_CLASS} at least (the log says who was left out, and why): add some, write another class for "
            "them in the table, or empty their cells."
        )
    said = ", ".join(f"{number} {name}" for name, number in sizes.items())
    logger.info(f"Subjects by {outcome.name}: {said}.")
