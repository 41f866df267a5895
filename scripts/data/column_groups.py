"""Columns of a table as its file has them: the columns of 0 and 1 of a category are one."""

from collections.abc import Sequence

import numpy as np
import torch

from .person_table import PersonTable

__all__ = ["ColumnGroups", "table_cells"]


class ColumnGroups:
    """Which columns of numbers are of one column of a table's file.

    Args:
        columns: `age`, or `sex=F` and `sex=M` of categories, C of them.

    Attributes:
        names: of the file's columns, G of them.

    Example:
        >>> ColumnGroups(["age", "sex=F", "sex=M"]).names
        ['age', 'sex']
    """

    def __init__(self, columns: Sequence[str]) -> None:
        whole = [_name(column) for column in columns]
        self.names = list(dict.fromkeys(whole))
        number = {name: i for i, name in enumerate(self.names)}
        self._group = torch.tensor([number[name] for name in whole])

    def of(self, name: str) -> torch.Tensor:
        """Which columns of numbers are of one of the file's, [C], bool."""
        return self._group == self.names.index(name)

    def sums(self, values: torch.Tensor) -> torch.Tensor:
        """Sums over the columns of each category, [P, G], of values [P, C]."""
        return values.new_zeros(len(values), len(self.names)).index_add(1, self._group, values)


def table_cells(table: PersonTable) -> dict[str, dict[str, str]]:
    """What a table says, as texts, by the file's column and the person; who has no number is not there."""
    found: dict[str, dict[str, str]] = {}
    for column, values in zip(table.columns, table.values.T, strict=True):
        name, _, kind = column.partition("=")
        said = found.setdefault(name, {})
        for i in np.flatnonzero(values == 1 if kind else ~np.isnan(values)):
            said[table.persons[i]] = kind or f"{values[i]:g}"
    return found


def _name(column: str) -> str:
    return column.partition("=")[0]
