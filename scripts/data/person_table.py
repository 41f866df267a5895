"""A table of persons as numbers: quantities as they are, and a column of 0 and 1 for each category."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError, some
from .outcome_columns import as_text
from .plink import is_plink, read_plink
from .table_cells import Cells, read_cells
from .table_lines import NONE, meant_subjects

__all__ = ["PersonTable", "read_person_table"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PersonTable:
    """What a table says of S persons in C columns.

    Attributes:
        name: of what it is about: that of its file, without suffix.
        persons: subjects of scans, of each of whom a number is known.
        columns: `age`, or `sex=F` and `sex=M` of categories.
        values: [S, C], float32; nan where it is not known.
    """

    name: str
    persons: list[str]
    columns: list[str]
    values: np.ndarray


def read_person_table(
    path: str, scans: list[dict], subject_column: str | None = None, categories: Collection[str] = ()
) -> PersonTable:
    """Read a table of the persons who have scans, and log how its columns were understood.

    Columns of numbers are quantities, those of texts are categories; which is which, and which say nothing, is read
    from all lines of the file, whoever has scans. 40 million cells (2 000 persons, 20 000 columns of 0, 1, 2) take
    10 s and 350 MB, of which 160 MB stay.

    Args:
        path: of the file; see `read_cells`, and `read_plink` for genotypes.
        scans: items of `find_scans`; whom the table means, `match_names` says.
        subject_column: see `read_cells`.
        categories: columns of numbers that are names of something, as those of clusters are.

    Raises:
        InputError: it cannot be read, has numbers and texts in one column, or nothing of those who have scans.
    """
    cells = read_plink(path) if is_plink(path) else read_cells(path, subject_column, categories)
    if odd := [column for column in cells.columns if "=" in column]:
        raise InputError(f"{path} has a column {odd[0]}: rename it without =, which stands before what a category is.")
    meant = meant_subjects(path, cells.names, scans)
    rows = np.array([row for row, name in enumerate(cells.names) if name in meant])
    texts = {column: _texts(cells, column, path) for column in cells.texts}
    codes = {column: found for column, found in texts.items() if found}
    useless = _useless(cells, codes)
    numbers = np.array([i for i in range(len(cells.columns)) if i not in codes and i not in useless], int)
    coded = [_coded(cells.columns[column], codes[column], rows) for column in codes if column not in useless]
    values = cells.values[np.ix_(rows, numbers)]
    if coded:
        values = np.concatenate([values, *(values for _, values in coded)], axis=1)
    columns = [*(cells.columns[i] for i in numbers), *(name for names, _ in coded for name in names)]
    known = ~np.isnan(values).all(axis=1)
    if not known.any():
        out = f" ({_why(cells.columns, useless)})" if useless else ""
        raise InputError(
            f"{path} says nothing of those who have scans{out}: give it columns of numbers, or of texts that several "
            "persons share, which differ between persons."
        )
    persons = [meant[cells.names[row]] for row, some_known in zip(rows, known, strict=True) if some_known]
    table = PersonTable(Path(path).stem, persons, columns, values if known.all() else values[known])
    _tell(table, scans, len(numbers), len(coded), _why(cells.columns, useless))
    return table


def _texts(cells: Cells, column: int, path: str) -> dict[int, str]:
    """Texts of a column by person, as they are usually written; none where it is one of numbers.

    Raises:
        InputError: it is not clear which.
    """
    found = cells.texts[column]
    if np.isnan(cells.values[:, column]).all():
        return {person: as_text(text) for person, text in found.items()}
    if wrong := {text for text in found.values() if text.lower() != NONE}:
        raise InputError(
            f"{cells.columns[column]} in {path} has numbers and, of {len(found)} persons, {some(sorted(wrong))}: write "
            "n/a where it is not known, or name the column among categories if each of them is a category."
        )
    return {}


def _useless(cells: Cells, codes: dict[int, dict[int, str]]) -> dict[int, str]:
    """Why columns are left out, by their numbers."""
    why = {i: "a column without a name" for i, column in enumerate(cells.columns) if not column}
    for column in np.flatnonzero(np.isnan(cells.values).all(axis=0)):
        of = codes.get(int(column), {})
        different = len(set(of.values()))
        if not of:
            why[int(column)] = "empty"
        elif different > max(2, len(of) / 2):
            many = "a different text for each person" if different == len(of) else f"{different} different texts"
            why[int(column)] = many
    return why


def _coded(column: str, texts: dict[int, str], rows: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names and values, [S, categories], of columns that are 1 where the text is theirs."""
    kinds = sorted(set(texts.values()))
    if alike := [kind for kind in kinds if sum(kind.casefold() == other.casefold() for other in kinds) > 1]:
        logger.warning(f"{column} has {some(alike)}, which count as {len(alike)} categories: write one alike.")
    values = [[np.nan if row not in texts else texts[row] == kind for kind in kinds] for row in rows.tolist()]
    return [f"{column}={kind}" for kind in kinds], np.array(values, np.float32)


def _why(columns: list[str], useless: dict[int, str]) -> str:
    """Columns that are left out, each with the reason."""
    return some([f"{columns[i]} ({why})" for i, why in sorted(useless.items())], most=5)


def _tell(table: PersonTable, scans: list[dict], numbers: int, categories: int, out: str) -> None:
    known = [f"{numbers} number{'s' * (numbers > 1)}"] if numbers else []
    if categories:
        of = "category" if categories == 1 else "categories"
        known.append(f"{categories} {of} ({len(table.columns) - numbers} columns)")
    logger.info(
        f"{table.name}: {len(table.persons)} persons of {len({scan['subject'] for scan in scans})} with scans; "
        f"{', '.join(known)}, {np.isnan(table.values).mean():.0%} of cells missing"
        + (f"; left out: {out}." if out else ".")
    )
