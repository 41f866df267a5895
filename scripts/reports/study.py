"""A study on one page: what encoders know of places in the body, and what they are worth for a task."""

import argparse
import dataclasses
import json
from pathlib import Path

from ..errors import report_input_errors
from .compare_encoders import compare_encoders, encoder_sections
from .compare_folds import compare_folds, fold_sections
from .page import write_page

__all__ = ["write_study"]


FIGURES = ("distances", "maps", "auc", "label_efficiency")


def write_study(output_dir: str | Path, encoders: list[str | Path], folds: list[str | Path]) -> Path:
    """Write study.html, and the comparisons that it is made of in the folders encoders and folds.

    Args:
        output_dir: where the files go.
        encoders: folders of `evaluate_encoder`'s results.
        folds: folders of `cross_validate`'s results.

    Returns:
        The path of the page.

    Raises:
        InputError: results are missing or cannot be compared.
    """
    output_dir = Path(output_dir)
    compare_encoders(output_dir / "comparison" / "encoders", encoders)
    compare_folds(output_dir / "comparison" / "folds", folds)
    (places, drawn), (tasks, more) = encoder_sections(encoders), fold_sections(folds)
    found = {figure.name: figure for figure in (*drawn, *more)}
    figures = [found[name] for name in FIGURES if name in found]
    figures = [dataclasses.replace(one, title=f"Figure {i}: {one.title}") for i, one in enumerate(figures, 1)]
    parts = ["<h2>Is there a lesion in this crop?</h2>", *tasks, "<h2>Where is this crop?</h2>", *places]
    metrics = json.loads((Path(encoders[0]) / "metrics.json").read_text())
    facts = {"encoders": len(encoders), "classifiers": len(folds), "test subjects": metrics["subjects"]}
    return write_page(output_dir / "study.html", "What self-supervised encoders are worth", facts, parts, figures, {})


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.reports.study", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("--encoders", nargs="+", required=True, help="folders of evaluations")
    parser.add_argument("--folds", nargs="+", required=True, help="folders of cross-validations")
    print(f"Study: {write_study(**vars(parser.parse_args()))}")
