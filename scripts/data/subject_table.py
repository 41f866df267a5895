"""What a table says of the subjects of scans."""

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from ..errors import InputError, some
from .table_lines import MISSING, NONE, meant_subjects, subject_column_of, table_lines

__all__ = ["SubjectTable", "finite_number", "read_table", "scans_in_table"]

logger = logging.getLogger(__name__)

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
    subject = subject_column_of(rows[0], path, subject_column)
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
    names = meant_subjects(table.path, table.values, scans)
    of_subject = {subject: table.values[name] for name, subject in names.items()}
    bare = sorted({scan["subject"] for scan in scans}.difference(of_subject))
    if bare:
        logger.warning(
            f"{len(bare)} subjects with scans have no {' or no '.join(table.columns)} in {table.path} and are left "
            f"out: {some(bare)}. Add it, or ignore this if it is not known."
        )
    return [scan | {"table": of_subject[scan["subject"]]} for scan in scans if scan["subject"] in of_subject]


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
    columns, *lines = table_lines(path, WANTED)
    return [dict(zip_longest(columns, line[: len(columns)], fillvalue="")) for line in lines]


def _require_one_value(first: dict[str, str], other: dict[str, str], whose: str) -> None:
    for column, value in first.items():
        if other[column] != value:
            raise InputError(f"{column} {whose} is both {value} and {other[column]}: leave one.")
