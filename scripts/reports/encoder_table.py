"""One page that shows how good an encoder is, and beside what; it needs no network and no other file."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .figures import AXES, Figure
from .page import write_page

__all__ = ["BASELINES", "ENCODER", "Line", "comparison_lines", "metric_lines", "write_report"]

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
    ("rankme", "Effective dimension (RankMe)", "position has three; neither high nor low is better", ""),
)


@dataclass(frozen=True)
class Line:
    """One line of a table of results.

    Attributes:
        label: what is measured; `explanation` says more, and may be empty.
        better: `lower`, `higher`, or nothing where neither is.
        values: by column, an encoder or one of `BASELINES`; None where it was not measured.
    """

    label: str
    explanation: str
    better: str
    values: dict[str, float | None]

    def best(self, values: Iterable[float | None]) -> float | None:
        """The best of some values (the first, where no direction is better); None if no number is among them."""
        numbers = [value for value in values if value is not None and not np.isnan(value)]
        choose = {"lower": min, "higher": max}.get(self.better, lambda numbers: numbers[0])
        return choose(numbers) if numbers else None

    @property
    def leader(self) -> str | None:
        """The best of the encoders; None where no direction is better, or none was measured."""
        own = {name: value for name, value in self.values.items() if name not in BASELINES}
        best = self.best(own.values()) if self.better else None
        return next(name for name, value in own.items() if value == best) if best is not None else None

    def beats(self, value: float | None, other: float | None) -> bool:
        """Whether one value is better than another; nan is not, nor what was not measured."""
        if value is None or other is None:
            return False
        return bool(value < other if self.better == "lower" else value > other if self.better else False)

    def unbeaten(self, encoder: str) -> list[str]:
        """Baselines that an encoder does not beat."""
        measured = [name for name in BASELINES if self.values[name] is not None]
        own = self.values[encoder]
        return [name for name in measured if self.better and own is not None and not self.beats(own, self.values[name])]


def write_report(
    output_dir: str | Path, title: str, metrics: dict, figures: list[Figure], settings: dict, log: str = ""
) -> Path:
    """Write report.html (its path is returned), and figures/NAME.png and figures/NAME.csv for other uses.

    Args:
        output_dir: folder; it is made where it is missing.
        title: of the page; the `figures` follow in their order.
        metrics: those that `ROWS` and `BASELINES` name, a number or three for x, y and z, and any others.
        settings: what the result depends on; `log` is text to keep with them.
    """
    lines = metric_lines(metrics)
    facts = {name: metrics[name] for name in ("subjects", "scans", "crops", "encoder") if name in metrics}
    details = {"All metrics": metrics, "Settings": settings} | ({"Log": log} if log else {})
    measured = {line.label: line.values for line in lines if line.values[ENCODER] is not None}
    content = {"title": title, "facts": facts, "encoder": ENCODER, "lines": lines, "measured": measured}
    lost = sum(bool(line.unbeaten(ENCODER)) for line in lines)
    return write_page(Path(output_dir) / "report.html", "encoder.html", figures, details, lost=lost, **content)


def metric_lines(metrics: dict) -> list[Line]:
    """The lines of an encoder's metrics, with the columns `ENCODER` and `BASELINES`; x, y and z make three lines."""
    lines = []
    for key, label, explanation, better in ROWS:
        endings = {ENCODER: ("",), **BASELINES}
        found = {name: [metrics[key + end] for end in ends if key + end in metrics] for name, ends in endings.items()}
        cells = {name: cell[0] if cell else None for name, cell in found.items()}
        by_axis = any(np.ndim(cell) for cell in cells.values() if cell is not None)
        axes = [f": {axis}" for axis in AXES] if by_axis else [""]
        for i, axis in enumerate(axes):
            values = {name: cell[i] if cell is not None and np.ndim(cell) else cell for name, cell in cells.items()}
            lines.append(Line(label + axis, "" if i else explanation, better, values))
    return lines


def comparison_lines(metrics: dict[str, dict]) -> list[Line]:
    """Lines with a column for each encoder, and the baselines, each the best that was measured beside any of them.

    Args:
        metrics: of each encoder by its name, as in metrics.json.
    """
    merged = []
    for lines in zip(*map(metric_lines, metrics.values()), strict=True):
        values = {name: line.values[ENCODER] for name, line in zip(metrics, lines, strict=True)}
        for name in BASELINES:
            values[name] = lines[0].best(line.values[name] for line in lines)
        merged.append(Line(lines[0].label, lines[0].explanation, lines[0].better, values))
    return merged
