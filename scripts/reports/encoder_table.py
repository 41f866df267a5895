"""The tables of what encoders are worth: each figure with its interval, and what is surely better than what."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch

from ..metrics.subject_bootstrap import expanded_interval
from ..metrics.verdict import verdict
from .figure import AXES

__all__ = ["BASELINES", "ENCODER", "Line", "comparison_lines", "layer_columns", "metric_lines"]

ENCODER = "this encoder"
# what a column's metrics are named: the key of the row, and one of these endings
BASELINES = {
    "untrained encoder": ("_random_encoder",),
    "raw intensities": ("_intensities",),
    "mean": ("_mean_position", "_mean_distance"),
}
# key, label, explanation, and which is better (nothing: neither)
ROWS = (
    ("location_error_mm", "Location error (mm)", "from a crop's centre to where its embedding puts it", "lower"),
    ("location_error_mm_axes", "Location error along an axis (mm)", "mean absolute error", "lower"),
    ("location_r2", "Location R²", "share of the variance of location that is explained; 1 is best", "higher"),
    (
        "distance_error_mm",
        "Distance error (mm)",
        "between the distance of embeddings, read in mm, and that of crops",
        "lower",
    ),
    ("distance_error_mm_within_scans", "Distance error within scans (mm)", "of pairs of crops of one scan", "lower"),
    ("distance_correlation", "Distance correlation", "of the two distances, whatever their scale; 1 is best", "higher"),
    ("pca3_location_r2", "Location R² of three components", "the first three principal ones; 1 is best", "higher"),
    (
        "rankme",
        "Effective dimension (RankMe)",
        "of all crops together, so that it has no interval; position has three; neither high nor low is better",
        "",
    ),
)
# of sets of layers
LAYER_COLUMNS = {"location_error_mm": "location error (mm)", "structure_share_r2": "structure shares (R²)"}
Interval = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of a table of results. Columns are encoders and `BASELINES`.

    Attributes:
        label: what is measured; `explanation` says more, and may be empty.
        better: `lower`, `higher`, or nothing where neither is.
        values: by column; None where it was not measured.
        intervals: of these, by column, as far as there are.
        differences: interval of the first less the second, of pairs of columns that are compared.
        metrics: names in metrics.json, by column; `axis` is which of three numbers there, or None for a single one.
    """

    label: str
    explanation: str
    better: str
    values: dict[str, float | None]
    intervals: dict[str, Interval]
    differences: dict[tuple[str, str], Interval]
    metrics: dict[str, str] = field(default_factory=dict)
    axis: int | None = None

    def best(self, values: Iterable[float | None]) -> float | None:
        """The best of some values (the first, where no direction is better); None if no number is among them."""
        numbers = [value for value in values if value is not None and not np.isnan(value)]
        choose = {"lower": min, "higher": max}.get(self.better, lambda numbers: numbers[0])
        return choose(numbers) if numbers else None

    def verdict(self, first: str, second: str) -> str:
        """Whether a column is `better` or `worse` than another, or that is `unsure`; nothing if it cannot be asked."""
        return verdict(self.better, self.differences.get((first, second)))

    def told(self, encoder: str, said: str) -> list[str]:
        """Baselines beside which an encoder is `better`, `worse` or `unsure`."""
        return [name for name in BASELINES if self.verdict(encoder, name) == said]

    @property
    def leader(self) -> str | None:
        """The encoder that is surely better than each of the others; None where there is no such one."""
        encoders = [name for name in self.values if name not in BASELINES]
        for name in encoders:
            others = [other for other in encoders if other != name]
            if others and all(self.verdict(name, other) == "better" for other in others):
                return name
        return None


def metric_lines(metrics: dict) -> list[Line]:
    """The lines of an encoder's metrics, with the columns `ENCODER` and `BASELINES`; x, y and z make three lines."""
    lines = []
    for key, label, explanation, better in ROWS:
        endings = {ENCODER: ("",), **BASELINES}
        names = {column: key + end for column, ends in endings.items() for end in ends if key + end in metrics}
        axes = range(3) if any(np.ndim(metrics[name]) for name in names.values()) else [None]
        for i in axes:
            values: dict[str, float | None] = dict.fromkeys(endings)
            values |= {column: _at(metrics[name], i) for column, name in names.items()}
            intervals = _found(metrics.get("intervals", {}), names, i)
            differences = {
                (ENCODER, column): one for column, one in _found(metrics.get("differences", {}), names, i).items()
            }
            text = (label, explanation) if i is None else (f"{label}: {AXES[i]}", "" if i else explanation)
            lines.append(Line(*text, better, values, intervals, differences, names, i))
    return lines


def layer_columns(layers: dict[str, dict]) -> dict[str, str]:
    """Columns of a table of layers, and what their figures are called; those of the untrained encoder stand beside."""
    measured = set().union(*layers.values())
    pairs = [
        (name + after, key + end)
        for key, name in LAYER_COLUMNS.items()
        for after, end in (("", ""), (", untrained", "_random_encoder"))
    ]
    return {name: key for name, key in pairs if key in measured}


def comparison_lines(metrics: dict[str, dict], draws: dict[str, dict[str, np.ndarray]]) -> list[Line]:
    """Lines with a column for each encoder, and the baselines, each the best that was measured beside any of them.

    Args:
        metrics: of each encoder by its name, as in metrics.json.
        draws: of each likewise, as in draws.npz: of the same draws of the same subjects.
    """
    of_encoders = zip(*map(metric_lines, metrics.values()), strict=True)
    return [_merged(dict(zip(metrics, lines, strict=True)), metrics, draws) for lines in of_encoders]


def _merged(lines: dict[str, Line], metrics: dict[str, dict], draws: dict[str, dict[str, np.ndarray]]) -> Line:
    """One line of those of several encoders by their names."""
    first = next(iter(lines.values()))
    sources = {name: (name, line.metrics[ENCODER]) for name, line in lines.items() if ENCODER in line.metrics}
    for baseline in BASELINES:
        beside = {name: line.values[baseline] for name, line in lines.items()}
        best = first.best(beside.values())
        for name in [name for name, value in beside.items() if value == best and best is not None][:1]:
            sources[baseline] = (name, lines[name].metrics[baseline])
    values: dict[str, float | None] = dict.fromkeys([*lines, *BASELINES])
    intervals: dict[str, Interval] = {}
    drawn: dict[str, np.ndarray] = {}
    for column, (name, key) in sources.items():
        values[column] = _at(metrics[name][key], first.axis)
        intervals |= _found(metrics[name].get("intervals", {}), {column: key}, first.axis)
        if key in draws[name]:
            drawn[column] = _at(draws[name][key].T, first.axis)
    differences = _differences(lines, drawn, next(iter(metrics.values()))["subjects"])
    return Line(first.label, first.explanation, first.better, values, intervals, differences)


def _differences(encoders: Iterable[str], drawn: dict[str, np.ndarray], number: int) -> dict[tuple[str, str], Interval]:
    """Of each encoder from each other column, as far as so many subjects say."""
    found = {}
    for one, other in itertools.permutations(drawn, 2):
        interval = expanded_interval(torch.from_numpy(drawn[one] - drawn[other]), number) if one in encoders else None
        if interval is not None:
            found[one, other] = tuple(interval.tolist())
    return found


def _found(intervals: dict, names: dict[str, str], i: int | None) -> dict[str, Interval]:
    """Those of some metrics, by their columns."""
    return {column: tuple(_at(intervals[name], i)) for column, name in names.items() if name in intervals}


def _at(value, i: int | None):
    """One of x, y and z, or what is one for all."""
    return value if i is None else value[i]
