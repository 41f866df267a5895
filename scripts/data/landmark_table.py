"""Landmarks as a CSV table has them: a scan, a name and a point, and the size of a box where it is one."""

import csv
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, some
from .subject_table import finite_number

__all__ = ["Row", "has_points", "read_rows"]

Triple = tuple[float, float, float]

POINT, SIZE = ("x", "y", "z"), ("size_x", "size_y", "size_z")
COLUMNS = ("scan", "name", *POINT)
SEPARATORS = ",;\t"  # commas, and what spreadsheets write where a comma is a decimal one


@dataclass(frozen=True)
class Row:
    """A landmark of a table.

    Attributes:
        where: the row, as a sentence begins.
        scan: what it calls the scan.
        name: of the landmark.
        point: mm.
        size: of a box around it, mm; None: it is a point.
    """

    where: str
    scan: str
    name: str
    point: Triple
    size: Triple | None


def has_points(path: str | os.PathLike) -> bool:
    """Whether a table is, by its columns, one of points and not a list of scans and their masks."""
    columns = _columns(_reader(path))
    return "image" not in columns or not {"scan", *POINT}.isdisjoint(columns)


def read_rows(path: str | os.PathLike) -> list[Row]:
    """Read a table with the columns scan, name, x, y, z and, for boxes, size_x, size_y, size_z, in mm.

    A row whose x, y and z are empty says that the landmark is not in the scan, and is left out.

    Args:
        path: of a text in UTF-8, whose cells have commas, semicolons or tabs between them.

    Raises:
        InputError: names the column or the line that cannot be used.
    """
    reader = _reader(path)
    _check_columns(path, _columns(reader))
    lines = [(f"{path}, line {number}", cells) for number, cells in _lines(reader, path)]
    if not lines:
        raise InputError(f"{path} has no line below the first: give each landmark of a scan a line.")
    return [_row(cells, where) for where, cells in lines if any(cells[column] for column in POINT)]


def _reader(path: str | os.PathLike) -> csv.DictReader:
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"landmarks is {path}, which cannot be read ({error.strerror}): give a CSV table.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text in UTF-8: save it as CSV in UTF-8.") from error
    first = text.partition("\n")[0]
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count), restval="")


def _columns(reader: csv.DictReader) -> list[str]:
    """Names of columns, which the reader goes by from then on: as they are meant, not as a spreadsheet spaces them."""
    reader.fieldnames = [column.strip().lower() for column in reader.fieldnames or []]
    return list(reader.fieldnames)


def _check_columns(path: str | os.PathLike, columns: list[str]) -> None:
    partly = 0 < len({*SIZE} & {*columns}) < len(SIZE)
    missing = [column for column in (*COLUMNS, *(SIZE if partly else ())) if column not in columns]
    if missing:
        there = f"its columns are {some(columns, most=8)}" if columns else "it is empty"
        raise InputError(
            f"{path} has no column {some(missing, most=8)} ({there}): landmarks is a table with the columns scan, "
            "name, x, y and z, in mm, and for boxes size_x, size_y and size_z; or scans with masks."
        )


def _lines(reader: csv.DictReader, path: str | os.PathLike) -> Iterator[tuple[int, dict[str, str]]]:
    """Cells by their columns, with the number of their line."""
    try:
        for cells in reader:
            beyond = [cell for cell in cells.pop(None, []) if cell.strip()]
            if beyond:
                raise InputError(
                    f"{path}, line {reader.line_num} has more cells than there are columns ({some(beyond)}): write "
                    "decimals with a point, and names with a comma in quotation marks."
                )
            yield reader.line_num, {column: cell.strip() for column, cell in cells.items()}
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num} cannot be read ({error}): mend it.") from error


def _row(cells: Mapping[str, str], where: str) -> Row:
    for column in ("scan", "name"):
        if not cells[column]:
            raise InputError(f"{where}: {column} is empty: say which it is.")
    point = _numbers(cells, POINT, where)
    has_size = any(cells.get(column) for column in SIZE)
    size = _numbers(cells, SIZE, where) if has_size else None
    if size and min(size) <= 0:
        raise InputError(f"{where}: the size of {cells['name']} is {size}: give mm above 0, or nothing for a point.")
    return Row(where, cells["scan"], cells["name"], point, size)


def _numbers(cells: Mapping[str, str], columns: tuple[str, str, str], where: str) -> Triple:
    x, y, z = (_number(cells[column], column, where) for column in columns)
    return x, y, z


def _number(text: str, column: str, where: str) -> float:
    number = finite_number(text)
    if number is None:
        said = f"is '{text}', which is no number" if text else "is empty"
        raise InputError(f"{where}: {column} {said}: give mm, with a point before decimals.")
    return number
