"""Several encoders on one page: the same test crops and figures, beside the same baselines."""

import argparse
import json
from html import escape
from pathlib import Path

import numpy as np
import torch
from monai.utils import optional_import

from ..atomic import write_csv_atomically
from ..errors import InputError, report_input_errors
from .encoder_table import BASELINES, ENCODER, Line, metric_lines
from .figures import Figure, component_maps, distances_of_encoders, error_bars
from .page import format_number, format_table, write_page

__all__ = ["compare_encoders", "comparison_lines", "encoder_sections"]


def compare_encoders(output_dir: str | Path, folders: list[str | Path]) -> Path:
    """Write comparison.csv, and comparison.html with its figures; the page's path is returned (or the table's).

    Args:
        output_dir: where the files go.
        folders: of `evaluate_encoder`'s results; an encoder is called as its folder is.

    Raises:
        InputError: a folder has no results, two have one name, or they are not of the same crops.
    """
    metrics, _ = _results(folders)
    lines = comparison_lines(metrics)
    table = Path(output_dir) / "comparison.csv"
    rows = [[line.label, *line.values.values()] for line in lines]
    write_csv_atomically(table, [["metric", *lines[0].values], *rows])
    if not optional_import("matplotlib")[1]:
        return table
    facts = {key: metrics[next(iter(metrics))][key] for key in ("subjects", "scans", "crops")}
    parts, figures = encoder_sections(folders)
    page = Path(output_dir) / "comparison.html"
    return write_page(page, f"{len(folders)} encoders, on test subjects", facts, parts, figures, metrics)


def encoder_sections(folders: list[str | Path]) -> tuple[list[str], list[Figure]]:
    """What a page says of encoders, as HTML, and its figures; arguments and errors as for `compare_encoders`."""
    metrics, arrays = _results(folders)
    lines = comparison_lines(metrics)
    location = next(iter(arrays.values()))["location"]
    latent = {name: _distances(stored["embedding"]) for name, stored in arrays.items()}
    figures = [distances_of_encoders(latent, _distances(location))]
    figures.append(component_maps({name: stored["components"] for name, stored in arrays.items()}, location))
    figures.append(
        error_bars({line.label: line.values for line in lines if line.label.endswith("error (mm)")}, metrics)
    )
    return [f'<p class="lead">{_lead(lines, metrics)}</p>', _table(lines, metrics)], figures


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


def _results(folders: list[str | Path]) -> tuple[dict[str, dict], dict[str, dict[str, np.ndarray]]]:
    """metrics.json and arrays of each encoder, by its name."""
    named = _named(folders)
    arrays = _same_crops(named)
    return {name: json.loads((path / "metrics.json").read_text()) for name, path in named.items()}, arrays


def _distances(points: np.ndarray) -> np.ndarray:
    """Of all pairs of at most 1000 crops, drawn by a fixed seed."""
    drawn = np.random.RandomState(0).permutation(len(points))[:1000]
    return torch.pdist(torch.from_numpy(points[drawn])).numpy()


def _named(folders: list[str | Path]) -> dict[str, Path]:
    named = {}
    for folder in map(Path, folders):
        if folder.name in BASELINES:
            raise InputError(f"An encoder cannot be called {folder.name}, as a baseline is: rename {folder}.")
        if folder.name in named:
            raise InputError(f"Two encoders are called {folder.name}: rename one of {named[folder.name]} and {folder}.")
        named[folder.name] = folder
    return named


def _same_crops(folders: dict[str, Path]) -> dict[str, dict[str, np.ndarray]]:
    """What the figures need of each encoder, if all have embedded the same crops."""
    arrays = {}
    for name, folder in folders.items():
        for file in ("metrics.json", "embeddings.npz"):
            if not (folder / file).is_file():
                raise InputError(f"There is no {file} in {folder}: evaluate the encoder with this as output_dir first.")
        with np.load(folder / "embeddings.npz") as stored:
            arrays[name] = {key: stored[key] for key in ("embedding", "location", "scan", "components")}
    (first, expected), *others = arrays.items()
    for name, found in others:
        if any(not np.array_equal(found[key], expected[key]) for key in ("location", "scan")):
            raise InputError(
                f"{name} and {first} were not evaluated on the same crops: give both runs the same dataset_dir, seed, "
                "val_size, test_size, spacing, crop_size, frame and evaluation_crops."
            )
    return arrays


def _leader(line: Line, encoders) -> str | None:
    """The best of the encoders; None where no direction is better, or none was measured."""
    best = line.best(line.values[name] for name in encoders)
    return next(name for name in encoders if line.values[name] == best) if line.better and best is not None else None


def _lead(lines: list[Line], encoders) -> str:
    sentences = []
    for line in lines:
        leader = _leader(line, encoders)
        if line.label in ("Location error (mm)", "Distance error (mm)") and leader:
            others, baselines = (
                ", ".join(f"{escape(name)} {format_number(line.values[name])}" for name in names if name != leader)
                for names in (encoders, [name for name in BASELINES if line.values[name] is not None])
            )
            error = f"{line.label.lower().removesuffix(' (mm)')}, {format_number(line.values[leader])} mm"
            beside = f" ({others})" if others else ""
            best = f"Of the encoders, <b>{escape(leader)}</b> has the smallest {error}{beside}"
            sentences.append(f"{best}; to be beaten: {baselines}.")
    return " ".join(sentences)


def _table(lines: list[Line], encoders) -> str:
    rows = []
    for line in lines:
        leader, cells = _leader(line, encoders), []
        for name, value in line.values.items():
            text = f"<strong>{format_number(value)}</strong>" if name == leader else format_number(value)
            unbeaten = line.unbeaten(name) if name in encoders else []
            cells.append(f'<td class="lost" title="does not beat: {", ".join(unbeaten)}">' if unbeaten else "<td>")
            cells.append(f"{text}</td>")
        rows.append(f"<tr><td>{line.label}<small>{line.explanation}</small></td>{''.join(cells)}</tr>")
    note = "Bold: the best of the encoders. Shaded: does not beat a baseline of its row."
    return format_table("Results", list(lines[0].values), rows) + f"<small>{note}</small>"


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.comparison", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("folders", nargs="+", help="folders of evaluations")
    print(f"Comparison: {compare_encoders(**vars(parser.parse_args()))}")
