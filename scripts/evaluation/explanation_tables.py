"""Explanations in tables, in metrics.json, and in a line of the log."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.column_groups import table_cells
from ..data.person_table import PersonTable
from ..metrics.column_means import column_means
from ..metrics.subject_bootstrap import SubjectBootstrap
from .drawn_metrics import metrics_of_draws
from .explanations import CONTROL, Explanation, TestedPersons

__all__ = ["ColumnFigures", "column_figures", "figures_of", "write_explanations"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ColumnFigures:
    """What columns add in the mean over persons, by one model.

    Attributes:
        mean: by table and column.
        interval: of 95 %, likewise; None of columns that fewer than 5 persons have.
        persons: who have a number there, likewise.
    """

    mean: dict[tuple[str, str], float]
    interval: dict[tuple[str, str], tuple[float, float] | None]
    persons: dict[tuple[str, str], int]

    @property
    def sure(self) -> int:
        """How many intervals leave 0 out."""
        return sum(ends is not None and (ends[0] > 0 or ends[1] < 0) for ends in self.interval.values())


def figures_of(found: Mapping[str, Explanation]) -> dict[str, ColumnFigures]:
    """Means of what columns add, by the ending of the model."""
    return {ending: column_figures(one) for ending, one in found.items()}


def column_figures(explanation: Explanation) -> ColumnFigures:
    """Means of what columns add, of those that somebody has."""
    had = {name: values for name, values in explanation.columns.items() if not values.isnan().all()}
    names, values = list(had), torch.stack(list(had.values()), 1)
    means, (low, high) = column_means(values)
    ends = [None if math.isnan(a) else (a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    number = (~values.isnan()).sum(0).tolist()
    return ColumnFigures(*(dict(zip(names, of, strict=True)) for of in (means.tolist(), ends, number)))


def write_explanations(
    found: Mapping[str, Explanation],
    figures: Mapping[str, ColumnFigures],
    persons: TestedPersons,
    tables: Sequence[PersonTable],
    output_dir: str,
) -> dict:
    """Write explained.csv, explained_columns.csv and metrics.json, and return the metrics.

    Args:
        found: by the ending of the model: "" first, then that of a control, if there is one.
        figures: of their columns.
        persons: who is tested.
        tables: what their cells are.
        output_dir: where the files go.
    """
    folder = Path(output_dir)
    write_csv_atomically(
        folder / "explained.csv",
        [
            ["subject", "table", "column", *(f"attribution{ending}" for ending in found), "value"],
            *_rows(found, persons, tables),
        ],
    )
    heads = [f"{what}{ending}" for ending in found for what in ("attribution", "low", "high")]
    write_csv_atomically(
        folder / "explained_columns.csv", [["table", "column", "persons", *heads], *_column_rows(figures)]
    )
    metrics = _metrics(found, figures)
    write_json_atomically(folder / "metrics.json", metrics)
    _tell(metrics)
    return metrics


def _rows(found: Mapping[str, Explanation], persons: TestedPersons, tables: Sequence[PersonTable]) -> Iterable[list]:
    cells = {table.name: table_cells(table) for table in tables}
    for key in found[""].columns:
        table, column = key
        added = [one.columns[key].tolist() if key in one.columns else [] for one in found.values()]
        for i, subject in enumerate(persons.subjects):
            if not math.isnan(added[0][i]):
                values = [_cell(of[i]) if of else "" for of in added]
                yield [subject, table, column, *values, cells[table][column].get(subject, "")]


def _column_rows(figures: Mapping[str, ColumnFigures]) -> Iterable[list]:
    own = figures[""]
    for key in sorted(own.mean, key=lambda key: -abs(own.mean[key])):
        cells: list = []
        for one in figures.values():
            cells += [_cell(one.mean.get(key)), *map(_cell, one.interval.get(key) or (None, None))]
        yield [*key, own.persons[key], *cells]


def _metrics(found: Mapping[str, Explanation], figures: Mapping[str, ColumnFigures]) -> dict:
    """Of persons of whom all models can be asked."""
    asked = torch.stack([~one.similarity.isnan() for one in found.values()]).all(0)
    draws = SubjectBootstrap(range(int(asked.sum())))
    drawn = {
        ending: {"explained_similarity": draws.crop_means(one.similarity[asked][:, None])[:, 0]}
        for ending, one in found.items()
    }
    counts = {f"explained_columns{ending}": one.sure for ending, one in figures.items()}
    return {"persons": draws.number, "columns": len(figures[""].mean)} | counts | metrics_of_draws(drawn, draws)


def _cell(value: float | None) -> float | str:
    return "" if value is None or math.isnan(value) else float(f"{value:.6g}")


def _tell(metrics: dict) -> None:
    ends = metrics["intervals"].get("explained_similarity")
    sure = f" ({ends[0]:.3f} to {ends[1]:.3f})" if ends else ""
    beside = ""
    if f"explained_similarity{CONTROL}" in metrics:
        beside = (
            f"; by the control, {metrics[f'explained_similarity{CONTROL}']:.3f} and "
            f"{metrics[f'explained_columns{CONTROL}']}"
        )
    logger.info(
        f"Scans of {metrics['persons']} test persons are {metrics['explained_similarity']:.3f}{sure} more similar to "
        f"their own lines than to those of others; {metrics['explained_columns']} of {metrics['columns']} columns add "
        f"something for sure{beside}."
    )
    if not ends or ends[0] <= 0:
        logger.warning("It is not sure that scans have anything to do with the tables: maps and columns may be chance.")
