"""What a table says of the subjects of scans."""

import csv
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, some
from .names.tables import match_names

__all__ = ["SubjectTable", "finite_number", "read_table", "scans_in_table"]

logger = logging.getLogger(__name__)

SUBJECT_COLUMNS = ("subject", "participant_id")
MISSING = {"", "n/a", "na", "nan", "null"}  # in lower case
NONE = "none"  # nothing among numbers; among texts, such as mild and severe, it may be one of them
WANTED = "give outcomes a CSV or TSV with a line a subject"


@dataclass(frozen=True)
class SubjectTable:
    """What some columns say of subjects.

    Attributes:
        path: of the file.
        columns: their names.
        values: of the subjects that have a value in each of them: by subject, as it is written there, texts by column.
    """

    path: str
    columns: list[str]
    values: dict[str, dict[str, str]]


def read_table(path: str | None, columns: Iterable[str], subject_column: str | None = None) -> SubjectTable:
    """Read some columns of a table.

    Args:
        path: of a CSV file, or of a TSV file by its name, whose first line names the columns.
        columns: a subject with nothing, or n/a, in one of them is left out, and one with `none` in one of numbers.
        subject_column: the one with the subjects; None: `subject`, or `participant_id` as in BIDS.

    Raises:
        InputError: there is no such table or column, or a subject has two values.
    """
    rows, columns = _rows(path), list(dict.fromkeys(columns))
    subject = _subject_column(rows[0], path, subject_column)
    for column in columns:
        if column not in rows[0]:
            raise InputError(f"{path} has no column {column}: its columns are {some(rows[0], most=8)}.")
    missing = {column: _missing(column, [row[column].strip() for row in rows], path) for column in columns}
    values: dict[str, dict[str, str]] = {}
    for row in rows:
        said = {column: row[column].strip() for column in columns}
        if not any(value.lower() in missing[column] for column, value in said.items()):
            name = row[subject].strip()
            _require_one_value(values.setdefault(name, said), said, f"of {name} in {path}")
    return SubjectTable(str(path), columns, values)


def scans_in_table(scans: list[dict], table: SubjectTable) -> list[dict]:
    """The scans whose subject is in a table, each with what it says, texts by column, as `table`.

    Args:
        scans: items of `find_scans`.
        table: a name in it means a subject as `match_names` says; what is left over is warned of.

    Raises:
        InputError: it names none of the subjects.
    """
    names = match_names(table.values, {scan["subject"] for scan in scans})
    of_subject = {subject: table.values[name] for name, subject in names.items()}
    found = [scan | {"table": of_subject[scan["subject"]]} for scan in scans if scan["subject"] in of_subject]
    if not found:
        raise InputError(
            f"{table.path} names none of the subjects ({scans[0]['subject']}, ...): write them as the names of the "
            "scans do."
        )
    _tell_of_others(scans, names, table)
    return found


def finite_number(text: str) -> float | None:
    """What a text says, if that is a number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _missing(column: str, texts: list[str], path: str | None) -> set[str]:
    """What says that nothing is known, in lower case."""
    others = [text for text in texts if text.lower() not in {*MISSING, NONE}]
    nones = len([text for text in texts if text.lower() == NONE])
    if all(finite_number(text) is not None for text in others):
        return {*MISSING, NONE}
    if nones:
        logger.warning(
            f"{column} is {NONE} in {nones} lines of {path}, which is taken for a class beside "
            f"{some(sorted({*others}))}: write n/a where it is not known."
        )
    return MISSING


def _rows(path: str | None) -> list[dict[str, str]]:
    if path in (None, "null"):
        raise InputError(f"No outcomes are given: {WANTED}.")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            separator = "\t" if Path(path).suffix.lower() == ".tsv" else ","
            rows = list(csv.DictReader(file, delimiter=separator, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no table that can be read: {WANTED}.") from error
    if not rows:
        raise InputError(f"{path} has no line below the first: {WANTED}.")
    return rows


def _subject_column(row: dict[str, str], path: str | None, wanted: str | None) -> str:
    candidates = SUBJECT_COLUMNS if wanted is None else (str(wanted),)
    found = [column for column in candidates if column in row]
    if not found:
        raise InputError(
            f"{path} has no column {' or '.join(candidates)}: give subject_column one of {some(row, most=8)}."
        )
    return found[0]


def _require_one_value(first: dict[str, str], other: dict[str, str], whose: str) -> None:
    for column, value in first.items():
        if other[column] != value:
            raise InputError(f"{column} {whose} is both {value} and {other[column]}: leave one.")


def _tell_of_others(scans: list[dict], names: dict[str, str], table: SubjectTable) -> None:
    """What of a table and of the scans is not written alike, or has no counterpart."""
    loose = [f"{name} for {subject}" for name, subject in names.items() if name != subject]
    strange = [name for name in table.values if name not in names]
    bare = sorted({scan["subject"] for scan in scans}.difference(names.values()))
    if loose:
        logger.warning(f"{table.path} is taken to say {some(loose)}: if that is wrong, write the names of scans there.")
    if strange:
        logger.warning(
            f"{len(strange)} subjects of {table.path} have no scan and are left out: {some(strange)}. Scans have names "
            f"such as {scans[0]['subject']}: write them so, or ignore this if there are no scans of theirs."
        )
    if bare:
        logger.warning(
            f"{len(bare)} subjects with scans have no {' or no '.join(table.columns)} in {table.path} and are left "
            f"out: {some(bare)}. Add it, or ignore this if it is not known."
        )
