"""The tables of structure shares, and how they grow with the labels."""

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .figure import COLOURS, QUIET, UNTRAINED, Figure, Panel, name_axes

__all__ = ["ShareRow", "ShareTable", "share_figure", "share_tables"]

TITLES = {
    "crop": "Structure shares of crops (R²)",
    "centre": "Structure shares of the central 20 mm of crops (R²)",
}
SURE = 0.05


@dataclass(frozen=True)
class ShareRow:
    """What one method predicts, by the number of labelled subjects.

    Attributes:
        encoder: `trained`, `untrained`, or what predicts without an encoder; `layers` of an encoder.
        values: R²; `intervals` of these where there are some.
        better: numbers of labelled subjects with which it is surely better than the encoder; `unsure` those with which
            neither surely is; none of either for a trained encoder.
    """

    encoder: str
    layers: str
    values: dict[int, float]
    intervals: dict[int, tuple[float, float]]
    better: list[int]
    unsure: list[int]

    @property
    def label(self) -> str:
        """Of the row."""
        return f"{self.encoder} encoder, {self.layers}" if self.layers else self.encoder


@dataclass(frozen=True)
class ShareTable:
    """Of one target, with a column for each number of labelled subjects.

    Attributes:
        layers: those of the encoder that is compared.
    """

    target: str
    layers: str
    numbers: list[int]
    rows: list[ShareRow]

    @property
    def title(self) -> str:
        """Above the table."""
        return TITLES[self.target]

    @property
    def columns(self) -> dict[int, str]:
        """Heads of the columns, by the number of labelled subjects."""
        return {number: f"{number} labelled subjects" for number in self.numbers}

    @property
    def encoder(self) -> ShareRow:
        """What is compared with baselines."""
        return next(row for row in self.rows if self.is_compared(row))

    @property
    def baselines(self) -> list[ShareRow]:
        """The untrained twin, and what predicts without an encoder."""
        return [row for row in self.rows if row.encoder != "trained" and row.layers in ("", self.layers)]

    def is_compared(self, row: ShareRow) -> bool:
        """Whether a row is of the encoder that is compared with baselines."""
        return (row.encoder, row.layers) == ("trained", self.layers)


def share_tables(path: Path, layers: str) -> list[ShareTable]:
    """Tables of a structure_shares.csv, one for each target.

    Args:
        path: of the file.
        layers: of the encoder that is compared.
    """
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return [_table([line for line in lines if line["target"] == target], target, layers) for target in TITLES]


def _table(lines: Sequence[dict], target: str, layers: str) -> ShareTable:
    methods = dict.fromkeys((line["encoder"], line["layers"]) for line in lines)
    rows = [_row([line for line in lines if (line["encoder"], line["layers"]) == method]) for method in methods]
    return ShareTable(target, layers, sorted({int(line["labelled_subjects"]) for line in lines}), rows)


def _row(lines: Sequence[dict]) -> ShareRow:
    by_number = {int(line["labelled_subjects"]): line for line in lines}
    tested = {number: line for number, line in by_number.items() if line["p_holm"]}
    sure = [number for number, line in tested.items() if float(line["p_holm"]) < SURE]
    return ShareRow(
        lines[0]["encoder"],
        lines[0]["layers"],
        {number: float(line["r2"]) for number, line in by_number.items()},
        {number: (float(line["low"]), float(line["high"])) for number, line in by_number.items() if line["low"]},
        [number for number in sure if float(tested[number]["rank_biserial"]) < 0],
        [number for number in tested if number not in sure],
    )


def share_figure(tables: Sequence[ShareTable]) -> Figure:
    """R² by the number of labelled subjects, a panel for each target."""
    panels = [Panel(partial(_draw, table, legend=not i), 3.8, 4.6) for i, table in enumerate(tables)]
    caption = (
        "Of test subjects, by the number of training subjects whose label maps were used; below all of them, means of "
        "three draws of subjects. First of whole crops, then of their central 20 mm."
    )
    data = {"labelled_subjects": np.array(tables[0].numbers, float)}
    for table in tables:
        for row in table.rows:
            name = f"{table.target}_{row.label}".replace(", ", "_").replace(" ", "_")
            data[name] = np.array([row.values[number] for number in table.numbers])
    return Figure("structure_shares", "Structure shares by the number of labels", caption, panels, data, columns=2)


def _draw(table: ShareTable, axes, legend: bool) -> None:
    colours = itertools.cycle(COLOURS[2:])
    for row in table.rows:
        if row.encoder == "untrained" and row.layers != table.layers:
            continue
        if table.is_compared(row):
            style = {"color": COLOURS[0], "lw": 2.2, "ls": "-"}
        elif row.encoder == "trained":
            style = {"color": next(colours), "lw": 1.2, "ls": "-"}
        elif row.encoder == "untrained":
            style = {"color": UNTRAINED, "lw": 1.5, "ls": "--"}
        else:
            style = {"color": QUIET, "lw": 1.5, "ls": ":" if row.encoder == "position" else "-."}
        axes.plot(table.numbers, [row.values[n] for n in table.numbers], "o", ms=3, label=row.label, **style)
    axes.set_xscale("log")
    axes.set_xticks(table.numbers, [str(number) for number in table.numbers])
    axes.minorticks_off()
    name_axes(axes, "labelled subjects", "R² of structure shares")
    if legend:
        axes.legend(frameon=False, fontsize=8)
