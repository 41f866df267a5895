"""The cells of a table of persons: numbers, and the texts among them."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, some
from .subject_table import finite_number
from .table_lines import MISSING, subject_column_of, table_lines

__all__ = ["Cells", "read_cells"]

WANTED = "give tables CSV or TSV files, each with a line a person"
SPELLINGS = {spelling: "nan" for text in MISSING for spelling in (text, text.upper(), text.capitalize())}


@dataclass(frozen=True)
class Cells:
    """What a file says of S persons in C columns.

    Attributes:
        names: of the persons, as they are written there.
        columns: their names, without the one that names persons.
        values: [S, C], float32; nan where a cell is missing, or a text.
        texts: what is no number, nor missing: by the number of a column, and there by the number of a person.
    """

    names: list[str]
    columns: list[str]
    values: np.ndarray
    texts: dict[int, dict[int, str]]


def read_cells(path: str, subject_column: str | None = None, categories: Collection[str] = ()) -> Cells:
    """Read a CSV file, or a TSV file by its name.

    Of numbers, 4 bytes each are kept, and no texts.

    Args:
        path: of the file, whose first line names the columns.
        subject_column: the one with the persons; None: `subject`, or `participant_id` as in BIDS.
        categories: columns whose cells are texts, though they look like numbers.

    Raises:
        InputError: it cannot be read, or says two things of a person.
    """
    lines = table_lines(path, WANTED)
    columns = [column.strip() for column in next(lines, ())]
    subject = columns.index(subject_column_of(columns, path, subject_column))
    if twice := [column for column, times in Counter(columns).items() if times > 1 and column]:
        raise InputError(f"{path} has two columns {some(twice)}: give each a name of its own.")
    del columns[subject]
    named = {i for i, column in enumerate(columns) if column in categories}
    names: dict[str, int] = {}
    numbers = bytearray()
    texts: dict[int, dict[int, str]] = defaultdict(dict)
    for line in lines:
        name = line.pop(subject).strip() if subject < len(line) else ""
        if any(line[len(columns) :]):
            raise InputError(
                f"{path} has {len(line)} cells of {name} in {len(columns)} columns: quote texts with commas."
            )
        if not name:
            if any(cell.strip() for cell in line):
                raise InputError(
                    f"{path} has a line without a person: {','.join(line)}. Name the person, or remove it."
                )
            continue
        row, strange = _row((line + [""] * len(columns))[: len(columns)], named)
        if name in names:
            _require_same(path, name, columns, (row, strange), _said(numbers, texts, names[name], len(columns)))
            continue
        names[name] = len(names)
        numbers += row.tobytes()
        for column, text in strange.items():
            texts[column][names[name]] = text
    return Cells(list(names), columns, np.frombuffer(numbers, np.float32).reshape(-1, len(columns)), dict(texts))


def _row(line: list[str], named: Collection[int]) -> tuple[np.ndarray, dict[int, str]]:
    """Numbers of a line, [C], float32, and what is none, by column."""
    strange = {column: text for column in named if (text := line[column].strip()).lower() not in MISSING}
    line = [SPELLINGS.get(cell, cell) for cell in line]
    for column in named:
        line[column] = "nan"
    try:
        row = np.array(line, np.float32)
        if not np.isinf(row).any():
            return row, strange
    except ValueError:
        pass
    row = np.full(len(line), np.nan, np.float32)
    for column, cell in enumerate(line):
        text = cell.strip()
        number = finite_number(text)
        if number is not None:
            row[column] = number
        elif text.lower() not in MISSING:
            strange[column] = text
    return row, strange


def _said(numbers: bytearray, texts: dict[int, dict[int, str]], person: int, columns: int) -> tuple:
    """What `_row` said of a person."""
    row = np.frombuffer(bytes(numbers[4 * columns * person : 4 * columns * (person + 1)]), np.float32)
    return row, {column: of[person] for column, of in texts.items() if person in of}


def _require_same(path: str, name: str, columns: list[str], one: tuple, other: tuple) -> None:
    """Raise an `InputError` where two lines of a person differ."""
    different = ~((one[0] == other[0]) | (np.isnan(one[0]) & np.isnan(other[0])))
    for column in {*one[1], *other[1]}:
        different[column] = one[1].get(column) != other[1].get(column)
    if different.any():
        first = int(different.argmax())
        said = [texts.get(first, f"{row[first]:g}") for row, texts in (other, one)]
        raise InputError(f"{columns[first]} of {name} in {path} is both {said[0]} and {said[1]}: leave one.")
