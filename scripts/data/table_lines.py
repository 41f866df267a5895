"""Lines of a table of subjects, and whom they mean."""

import csv
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import InputError, some
from .names.tables import match_names

__all__ = ["MISSING", "NONE", "meant_subjects", "subject_column_of", "table_lines"]

logger = logging.getLogger(__name__)

SUBJECT_COLUMNS = ("subject", "participant_id")
MISSING = {"", "n/a", "na", "nan", "null"}  # in lower case
NONE = "none"  # nothing among numbers; among texts, such as mild and severe, it may be one of them


def table_lines(path: str | None, wanted: str) -> Iterator[list[str]]:
    """Cells of each line of a table that is not empty, the first of which names the columns.

    Args:
        path: of a CSV file, or of a TSV file by its name.
        wanted: what to do where it is none, as in "give outcomes a CSV or TSV".

    Raises:
        InputError: it cannot be read, or has no second line.
    """
    found = 0
    try:
        with open(str(path), newline="", encoding="utf-8-sig") as file:
            separator = "\t" if Path(str(path)).suffix.lower() == ".tsv" else ","
            for line in csv.reader(file, delimiter=separator):
                if line:
                    found += 1
                    yield line
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no table that can be read: {wanted}.") from error
    if found < 2:
        raise InputError(f"{path} has no line below the first: {wanted}.")


def subject_column_of(columns: Iterable[str], path: str | None, wanted: str | None) -> str:
    """The column with the subjects: the one that is wanted, or `subject`, or `participant_id` as in BIDS.

    Raises:
        InputError: there is no such column.
    """
    columns = list(columns)
    candidates = SUBJECT_COLUMNS if wanted in (None, "null") else (str(wanted),)
    found = [column for column in candidates if column in columns]
    if not found:
        raise InputError(
            f"{path} has no column {' or '.join(candidates)}: give subject_column one of {some(columns, most=8)}."
        )
    return found[0]


def meant_subjects(path: str, names: Iterable[str], scans: list[dict]) -> dict[str, str]:
    """Which subject of scans each name of a table means, as `match_names` says; warn of what is left over, or loose.

    Raises:
        InputError: the table names none of them.
    """
    names, example = list(names), scans[0]["subject"]
    meant = match_names(names, {scan["subject"] for scan in scans})
    if not meant:
        raise InputError(
            f"{path} names none of the subjects ({example}, ...): write them as the names of the scans do."
        )
    loose = [f"{name} for {subject}" for name, subject in meant.items() if name != subject]
    strange = [name for name in names if name not in meant]
    if loose:
        logger.warning(f"{path} is taken to say {some(loose)}: if that is wrong, write the names of scans there.")
    if strange:
        logger.warning(
            f"{len(strange)} subjects of {path} have no scan and are left out: {some(strange)}. Scans have names "
            f"such as {example}: write them so, or ignore this if there are no scans of theirs."
        )
    return meant
