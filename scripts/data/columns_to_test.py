"""Columns of tables that are tested for association, and covariates among them, of the persons with scans."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError, some
from .person_table import PersonTable
from .tables import scans_of_persons

__all__ = ["ColumnsToTest", "columns_to_test", "scans_to_test"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ColumnsToTest:
    """What is known of S persons.

    Attributes:
        subject: in the order of their names.
        table: of each of the C columns that are tested, its table's name; column: its own.
        values: [S, C], float32; nan where it is not known.
        covariates: [S, Q].
    """

    subject: list[str]
    table: list[str]
    column: list[str]
    values: np.ndarray
    covariates: np.ndarray


def scans_to_test(scans: list[dict], tables: Sequence[PersonTable], covariates: Sequence[str] = ()) -> list[dict]:
    """The scans of persons whom a table knows, with all covariates; the log tells of others.

    Args:
        scans: items of `find_scans`.
        tables: of `read_tables`.
        covariates: their columns.

    Raises:
        InputError: there is no such covariate, or nobody of whom all are known.
    """
    found = scans_of_persons(scans, tables)
    subject = sorted({scan["subject"] for scan in found})
    known = ~np.isnan(_joined(_split(tables, covariates)[0], subject)).any(axis=1)
    bare = [name for name, all_known in zip(subject, known, strict=True) if not all_known]
    if len(bare) == len(subject):
        raise InputError(f"Nobody has all of {', '.join(covariates)}: give fewer covariates.")
    if bare:
        logger.warning(f"{len(bare)} persons have no {' or no '.join(covariates)} and are left out: {some(bare)}.")
    return [scan for scan in found if scan["subject"] not in {*bare}]


def columns_to_test(scans: list[dict], tables: Sequence[PersonTable], covariates: Sequence[str] = ()) -> ColumnsToTest:
    """All columns of tables but the covariates, which are not tested.

    Args:
        scans: of `scans_to_test`, or some of them.
        tables, covariates: as there.

    Raises:
        InputError: no column is left.
    """
    subject = sorted({scan["subject"] for scan in scans})
    given, tested = _split(tables, covariates)
    named = [(table.name, column) for table in tested for column in table.columns]
    if not named:
        raise InputError("All columns of the tables are covariates: give a table that has others.")
    table, column = (list(names) for names in zip(*named, strict=True))
    return ColumnsToTest(subject, table, column, _joined(tested, subject), _joined(given, subject).astype(float))


def _split(tables: Sequence[PersonTable], covariates: Sequence[str]) -> tuple[list[PersonTable], list[PersonTable]]:
    """The tables with covariates alone, and with all else."""
    for name in covariates:
        having = [table.name for table in tables if _are_named(table, [name]).any()]
        if not having:
            raise InputError(f"No table has a column {name}: correct covariates.")
        if len(having) > 1:
            raise InputError(f"{some(having, between=' and ')} have a column {name}: rename one, as it is a covariate.")
    given = [_narrow(table, _are_named(table, covariates)) for table in tables]
    return given, [_narrow(table, ~_are_named(table, covariates)) for table in tables]


def _are_named(table: PersonTable, names: Sequence[str]) -> np.ndarray:
    """Which columns have one of some names, [C]; `sex` is that of `sex=F`."""
    return np.array([column in names or column.partition("=")[0] in names for column in table.columns], bool)


def _narrow(table: PersonTable, kept: np.ndarray) -> PersonTable:
    columns = [column for column, keep in zip(table.columns, kept, strict=True) if keep]
    return replace(table, columns=columns, values=table.values[:, kept])


def _joined(tables: Sequence[PersonTable], subject: list[str]) -> np.ndarray:
    """What tables say of subjects, side by side, [S, C], float32; nan of those whom one does not know."""
    row, values = {name: i for i, name in enumerate(subject)}, []
    for table in tables:
        there = [i for i, name in enumerate(table.persons) if name in row]
        said = np.full((len(subject), len(table.columns)), np.nan, np.float32)
        said[[row[table.persons[i]] for i in there]] = table.values[there]
        values.append(said)
    return np.concatenate(values, axis=1)
