"""Columns of 0 and 1 of a category are one column."""

import numpy as np
import torch

from scripts.data.column_groups import ColumnGroups, table_cells
from scripts.data.person_table import PersonTable

COLUMNS = ["age", "sex=F", "sex=M", "iron"]


def test_columns_of_a_category_are_added_up():
    groups = ColumnGroups(COLUMNS)
    assert groups.names == ["age", "sex", "iron"] and groups.of("sex").tolist() == [False, True, True, False]
    assert groups.sums(torch.tensor([[1.0, 2.0, 3.0, 4.0]])).tolist() == [[1, 5, 4]]


def test_cells_are_told_as_they_were_written():
    values = np.array([[71.5, 0, 1, np.nan], [40, np.nan, np.nan, 3]], np.float32)
    cells = table_cells(PersonTable("blood", ["A", "B"], COLUMNS, values))
    assert cells == {"age": {"A": "71.5", "B": "40"}, "sex": {"A": "M"}, "iron": {"B": "3"}}
