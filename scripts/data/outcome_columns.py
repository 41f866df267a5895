"""Columns of a table of subjects, read as what is to be predicted, or as what may explain it."""

import numpy as np

from ..errors import InputError, some
from .subject_table import finite_number

__all__ = ["as_classes", "as_covariates", "as_events", "as_quantities", "as_text", "as_times"]

MOST_CLASSES = 10  # that numbers are taken for; more of them may be a quantity


def as_times(column: str, texts: list[str], subject: list[str]) -> np.ndarray:
    """Times to an event, [S], above 0."""
    times = as_quantities(column, texts, subject)
    if few := [f"{name} ({text})" for name, text, time in zip(subject, texts, times, strict=True) if time <= 0]:
        raise InputError(f"{column}, a time to an event, is not above 0 of {some(few)}: correct it, or write n/a.")
    return times


def as_events(rows: dict[str, dict[str, str]], column: str) -> np.ndarray:
    """Whether a time is that of an event, of subjects in the order of their names, [S], bool."""
    said = {name: as_text(rows[name][column]) for name in sorted(rows)}
    if wrong := [f"{name} ({text})" for name, text in said.items() if text not in ("0", "1")]:
        raise InputError(
            f"{column} is neither 0 nor 1 of {some(wrong)}: write 1 where the time is that of an event, 0 where nobody "
            "knows of later, or n/a."
        )
    return np.array([text == "1" for text in said.values()])


def as_classes(column: str, texts: list[str], kind: str | None) -> tuple[str, ...]:
    """What classes are called, in the order of their numbers or names."""
    found = {as_text(text) for text in texts}
    numbers = {text: finite_number(text) for text in found}
    if kind == "binary" and len(found) > 2:
        raise InputError(
            f"{column} has {len(found)} different values ({some(sorted(found))}), and kind binary needs two: give "
            "classes, or a threshold."
        )
    if None in numbers.values():
        wrong = _among_numbers(texts)
        if wrong and kind is None:
            raise InputError(
                f"{column} has numbers and, of {len(wrong)} subjects, {some(sorted({*wrong}))}: write n/a where it is "
                "not known, or give kind classes if each of them is a class of its own."
            )
        return tuple(sorted(found))
    if kind is None and len(found) > MOST_CLASSES:
        raise InputError(
            f"{column} has {len(found)} different numbers ({some(sorted(found))}): give kind regression, or classes if "
            "each of them is a class of its own."
        )
    return tuple(sorted(found, key=float))


def as_quantities(column: str, texts: list[str], subject: list[str]) -> np.ndarray:
    """Numbers, [S], that are not all the same."""
    numbers = [finite_number(text) for text in texts]
    for text, number, name in zip(texts, numbers, subject, strict=True):
        if number is None:
            raise InputError(f"{column} of {name} is {text}, which is no number: correct it, or give another kind.")
    if len(set(numbers)) < 2:
        raise InputError(f"{column} is {texts[0]} for all subjects: give target a column that differs.")
    return np.array(numbers, dtype=float)


def as_covariates(rows: dict[str, dict[str, str]], subject: list[str], columns: list[str]) -> np.ndarray:
    """What columns say of each subject, [S, K]: numbers as they are, and a column of 0 and 1 for each text."""
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


def as_text(text: str) -> str:
    """A number as it is usually written: `1.0` is `1`."""
    number = finite_number(text)
    return text if number is None else f"{number:.15g}"
