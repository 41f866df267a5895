"""Several encoders on one page: the same test crops and figures, beside the same baselines."""

import argparse
from pathlib import Path

import numpy as np
import torch
from monai.utils import optional_import

from ..atomic import write_csv_atomically
from ..errors import report_input_errors
from .encoder_results import EncoderResults, read_encoders
from .figures import Figure, component_maps, distances_of_encoders, error_bars
from .page import write_page

__all__ = ["compare_encoders", "encoder_figures"]


def compare_encoders(output_dir: str | Path, encoders: EncoderResults) -> Path:
    """Write comparison.csv, and comparison.html with its figures in `output_dir`.

    Returns:
        The path of the page; without matplotlib, which it needs, that of the table.
    """
    table = Path(output_dir) / "comparison.csv"
    rows = [[line.label, *line.values.values()] for line in encoders.lines]
    write_csv_atomically(table, [["metric", *encoders.lines[0].values], *rows])
    if not optional_import("matplotlib")[1]:
        return table
    facts = {key: next(iter(encoders.metrics.values()))[key] for key in ("subjects", "scans", "crops")}
    head = {"title": f"{len(encoders.metrics)} encoders, on test subjects", "facts": facts}
    page, figures = table.with_suffix(".html"), encoder_figures(encoders)
    return write_page(page, "encoders.html", figures, encoders.metrics, **head, encoders=encoders)


def encoder_figures(encoders: EncoderResults) -> list[Figure]:
    """Distances between embeddings, maps of the body and errors, of each encoder."""
    latent = {name: _distances(embedding) for name, embedding in encoders.embedding.items()}
    errors = {line.label: line.values for line in encoders.lines if line.label.endswith("error (mm)")}
    return [
        distances_of_encoders(latent, _distances(encoders.location)),
        component_maps(encoders.components, encoders.location),
        error_bars(errors, encoders.metrics),
    ]


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
