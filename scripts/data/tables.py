"""Tables beside scans: what else is known of the persons, such as genotypes, blood values or answers to questions."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError, require_one_of, some
from .person_table import PersonTable, read_person_table

__all__ = ["read_tables", "scans_of_persons", "shuffled_tables"]

logger = logging.getLogger(__name__)

WHO = ("outer", "inner")
METRICS = {"back", "random_encoder", "ridge", "size"}  # with which names of metrics end that are of all tables


def read_tables(
    paths: Sequence[str], scans: list[dict], subject_column: str | None = None, categories: Collection[str] = ()
) -> list[PersonTable]:
    """Read what tables say of the persons who have scans.

    Args:
        paths: of CSV or TSV files, or PLINK's .bed and .raw, each of which is called by its name without suffix.
        scans: items of `find_scans`.
        subject_column: the one with the persons; None: `subject`, or `participant_id` as in BIDS.
        categories: columns of numbers that are names of something, as those of clusters are.

    Raises:
        InputError: there are none, two have one name, one has that of a metric, or one cannot be used.
    """
    if paths in (None, "null") or not paths:
        raise InputError("No tables are given: give tables a list of CSV or TSV files, each with a line a person.")
    paths = [paths] if isinstance(paths, str) else [str(path) for path in paths]
    names = [Path(path).stem for path in paths]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"Two tables are called {some(twice)}: rename a file, as tables are called by their names.")
    if taken := sorted(METRICS.intersection(names)):
        raise InputError(f"A table cannot be called {some(taken)}, as metrics are: rename the file.")
    tables = [read_person_table(path, scans, subject_column, categories) for path in paths]
    known = {column.partition("=")[0] for table in tables for column in table.columns}
    if unknown := [column for column in categories if column not in known]:
        logger.warning(f"categories names {some(unknown)}, and no table has such a column that says something.")
    return tables


def scans_of_persons(scans: list[dict], tables: Sequence[PersonTable], persons: str = "outer") -> list[dict]:
    """The scans of persons whom tables know, each with its person's number, the same for all scans of theirs.

    Args:
        scans: items of `find_scans`.
        tables: of `read_tables`.
        persons: `outer`: who is in one of the tables at least; `inner`: who is in all of them.

    Returns:
        Scans with `person`: a number from 0, in the order of the names of subjects.

    Raises:
        InputError: nobody is.
    """
    require_one_of("persons", persons, WHO)
    known = [set(table.persons) for table in tables]
    subjects = set.union(*known) if persons == "outer" else set.intersection(*known)
    number = {subject: i for i, subject in enumerate(sorted(subjects))}
    found = [scan | {"person": number[scan["subject"]]} for scan in scans if scan["subject"] in number]
    if not found:
        raise InputError("No person is in all tables: give persons outer, or tables of the same persons.")
    if bare := sorted({scan["subject"] for scan in scans} - subjects):
        which = "one of the tables" if persons == "outer" else "each of the tables"
        logger.warning(f"{len(bare)} subjects with scans are not in {which} and are left out: {some(bare)}.")
    return found


def shuffled_tables(tables: Sequence[PersonTable], seed: int) -> list[PersonTable]:
    """Tables in which each person has the line of another: a control, of which nothing about a scan can be learned.

    Args:
        tables: of `read_tables`.
        seed: the same seed and persons give the same lines.
    """
    return [_shuffled(table, np.random.default_rng([seed, i])) for i, table in enumerate(tables)]


def _shuffled(table: PersonTable, rng: np.random.Generator) -> PersonTable:
    order = rng.permutation(len(table.persons))
    persons = np.empty(len(order), object)
    persons[order] = np.array(table.persons, object)[np.roll(order, 1)]  # in a circle, so that nobody keeps theirs
    return replace(table, persons=persons.tolist())
