"""Columns of tables on one scale: that of the persons who train."""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..atomic import write_json_atomically
from ..distributed import rank
from ..errors import InputError, some
from .person_table import PersonTable

__all__ = ["TableScale", "fit_scales", "read_scales", "scale_tables", "write_scales"]

logger = logging.getLogger(__name__)

LEAST_DEVIATION = 1e-6  # of a column's mean; what is below is rounding
CLIP = 8.0  # standard deviations: what is farther out, such as a number in another unit, would drown all others


@dataclass(frozen=True)
class TableScale:
    """How the columns of a table are made alike.

    Attributes:
        columns: those that differ among the persons who train, C of them.
        mean: of each among these, [C].
        deviation: standard deviation of each among these, [C], above 0.
    """

    columns: list[str]
    mean: list[float]
    deviation: list[float]


def fit_scales(tables: Sequence[PersonTable], split: dict[str, list[dict]]) -> dict[str, TableScale]:
    """Scales of tables by their names, from persons who train alone; columns alike for these are left out, and told.

    Args:
        tables: of `read_tables`.
        split: of `split_scans`.

    Raises:
        InputError: nothing of a table differs among them, or no two who validate are in one table.
    """
    subjects, others = ({scan["subject"] for scan in split[part]} for part in ("train", "validate"))
    if max(len(others.intersection(table.persons)) for table in tables) < 2:
        raise InputError("No two persons who validate are in one table: raise val_size, or set persons to inner.")
    return {table.name: _fit(table, subjects) for table in tables}


def scale_tables(
    tables: Sequence[PersonTable], scales: dict[str, TableScale], split: dict[str, list[dict]]
) -> dict[str, torch.Tensor]:
    """Tables by their names, on their scales, by the number of a person.

    Args:
        tables: of `read_tables`.
        scales: of `fit_scales`, or of a run.
        split: of scans that `scans_of_persons` gave their person's number.

    Returns:
        For each name, [persons, C], float32, from -8 to 8; nan where a number is missing, and in the whole rows of
        those who are not in the table.

    Raises:
        InputError: a table, or a column, of the scales is not there.
    """
    found = {table.name: table for table in tables}
    if found.keys() != scales.keys():
        raise InputError(
            f"tables are {some(found, most=8)}, and those of the run are {some(scales, most=8)}: give tables the same "
            "files, by their names."
        )
    number = {scan["subject"]: scan["person"] for part in split.values() for scan in part}
    return {name: _scaled(found[name], scale, number) for name, scale in scales.items()}


def write_scales(scales: dict[str, TableScale], path: str | os.PathLike) -> None:
    """Write scales as JSON, in the first process, or check that they are those of the run that is resumed.

    Args:
        scales: of `fit_scales`.
        path: of the file; where a checkpoint.pt lies beside it, it must hold these scales already.

    Raises:
        InputError: it holds others: tables were changed since.
    """
    path = Path(path)
    if (path.parent / "checkpoint.pt").is_file() and read_scales(path) != scales:
        raise InputError(f"{path} has other columns, means or deviations than the tables now: give those of its run.")
    if rank() == 0:
        write_json_atomically(path, {name: vars(scale) for name, scale in scales.items()})


def read_scales(path: str | os.PathLike) -> dict[str, TableScale]:
    """The scales of a run, by the names of tables.

    Raises:
        InputError: there are none.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return {name: TableScale(**scale) for name, scale in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is no tables.json of a run, which says how its tables were scaled: give the encoder of a run that "
            "was trained with tables."
        ) from error


def _fit(table: PersonTable, subjects: set[str]) -> TableScale:
    rows = np.array([subject in subjects for subject in table.persons])
    mean, deviation = _moments(table.values[rows])
    varies = deviation > LEAST_DEVIATION * np.maximum(np.abs(mean), 1e-30)
    if not varies.any():
        raise InputError(
            f"Nothing in {table.name} differs among the {int(rows.sum())} persons of it who train: leave it out, or "
            "add persons."
        )
    if not varies.all():
        alike = [column for column, varied in zip(table.columns, varies, strict=True) if not varied]
        logger.info(f"{table.name}: {len(alike)} columns are alike for all who train and are left out: {some(alike)}.")
    columns = [column for column, varied in zip(table.columns, varies, strict=True) if varied]
    return TableScale(columns, mean[varies].tolist(), deviation[varies].tolist())


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of columns, of what is known; nan where nothing is."""
    known = ~np.isnan(values)
    number = np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    mean = np.nansum(values, axis=0, dtype=np.float64) / number
    squares = np.square(np.where(known, values - mean.astype(np.float32), 0))
    return mean, np.sqrt(squares.sum(axis=0, dtype=np.float64) / number)


def _scaled(table: PersonTable, scale: TableScale, number: dict[str, int]) -> torch.Tensor:
    columns = {column: table.values[:, i] for i, column in enumerate(table.columns)}
    columns = _kinds_of_nobody(columns, scale.columns) | columns
    if lost := [column for column in scale.columns if column not in columns]:
        raise InputError(
            f"{table.name} has no column {some(lost)}, and that of the run has: give the tables of its training, or "
            "such with the same columns."
        )
    values = np.full((1 + max(number.values()), len(scale.columns)), np.nan, np.float32)
    rows = np.array([i for i, subject in enumerate(table.persons) if subject in number], int)
    chosen = np.stack([columns[column][rows] for column in scale.columns], axis=1)
    mean, deviation = np.array(scale.mean, np.float32), np.array(scale.deviation, np.float32)
    values[[number[table.persons[i]] for i in rows]] = ((chosen - mean) / deviation).clip(-CLIP, CLIP)
    return torch.from_numpy(values)


def _kinds_of_nobody(columns: dict[str, np.ndarray], wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of kinds that nobody is of here, such as site=B where all are of another: 0 where the kind is known."""
    others = {column.partition("=")[0]: values for column, values in columns.items() if "=" in column}
    kinds = {column: others.get(column.partition("=")[0]) for column in wanted if "=" in column}
    return {column: 0 * values for column, values in kinds.items() if values is not None}
