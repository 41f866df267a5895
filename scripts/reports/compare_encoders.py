"""Several encoders on one page: the same test crops and figures, beside the same baselines."""

import argparse
from pathlib import Path

import numpy as np
import torch
from monai.utils import optional_import

from ..atomic import write_csv_atomically
from ..errors import report_input_errors
from .comparison_figures import component_maps, distances_of_encoders, error_bars
from .encoder_results import EncoderResults, read_encoders
from .encoder_table import Line
from .figure import Figure
from .head import head_of_evaluation, made
from .page import write_page

__all__ = ["compare_encoders", "encoder_figures", "head_of_encoders"]


def compare_encoders(output_dir: str | Path, encoders: EncoderResults) -> Path:
    """Write comparison.csv, and comparison.html with its figures in `output_dir`.

    Returns:
        The path of the page; without matplotlib, which it needs, that of the table.
    """
    table, columns = Path(output_dir) / "comparison.csv", [*encoders.lines[0].values]
    ends = [f"{column}, 95 % {end}" for column in columns for end in ("from", "to")]
    rows = [[line.label, *line.values.values(), *_ends(line)] for line in encoders.lines]
    write_csv_atomically(table, [["metric", *columns, *ends], *rows])
    if not optional_import("matplotlib")[1]:
        return table
    head = {"title": f"{len(encoders.metrics)} encoders, on test subjects", "facts": head_of_encoders(encoders)}
    page, figures = table.with_suffix(".html"), encoder_figures(encoders)
    return write_page(page, "encoders.html", figures, encoders.metrics, **head, encoders=encoders)


def head_of_encoders(encoders: EncoderResults) -> dict[str, str]:
    """What the crops are of, for how long encoders were trained, and when and by what the page was made."""
    metrics = next(iter(encoders.metrics.values()))
    trained = {f"epochs of {name}": epochs for name, epochs in encoders.epochs.items()}
    return head_of_evaluation(metrics, encoders.settings) | trained | made(encoders.settings)


def encoder_figures(encoders: EncoderResults) -> list[Figure]:
    """Distances between embeddings, maps of the body and errors, of each encoder."""
    latent = {name: _distances(embedding) for name, embedding in encoders.embedding.items()}
    shares = {
        name: scores.var(0) / encoders.embedding[name].var(0, dtype=np.float64).sum()
        for name, scores in encoders.components.items()
    }
    lines = {line.label: line for line in encoders.lines if line.label.endswith("error (mm)")}
    errors, intervals = (
        {name: getattr(line, part) for name, line in lines.items()} for part in ("values", "intervals")
    )
    return [
        distances_of_encoders(latent, _distances(encoders.location)),
        component_maps(encoders.components, shares, encoders.location),
        error_bars(errors, intervals, encoders.metrics),
    ]


def _ends(line: Line) -> list[float | None]:
    """Of the interval of each column."""
    return [end for column in line.values for end in line.intervals.get(column, (None, None))]


def _distances(points: np.ndarray) -> np.ndarray:
    """Of all pairs of at most 1000 crops, drawn by a fixed seed."""
    drawn = np.random.RandomState(0).permutation(len(points))[:1000]
    return torch.pdist(torch.from_numpy(points[drawn])).numpy()


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.reports.compare_encoders", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("folders", nargs="+", help="folders of evaluations")
    given = parser.parse_args()
    print(f"Comparison: {compare_encoders(given.output_dir, read_encoders(given.folders))}")
