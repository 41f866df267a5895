"""A study on one page: what encoders know of places in the body, and what they are worth for a task."""

import argparse
import dataclasses
from pathlib import Path

from ..errors import report_input_errors
from .compare_encoders import compare_encoders, encoder_figures, head_of_encoders
from .compare_folds import compare_folds, findings, fold_figures
from .encoder_results import EncoderResults, read_encoders
from .fold_results import FoldResults
from .page import write_page
from .read_folds import read_folds

__all__ = ["write_study"]

FIGURES = ("distances", "maps", "auc", "label_efficiency")


def write_study(output_dir: str | Path, encoders: EncoderResults, folds: FoldResults) -> Path:
    """Write study.html (its path is returned), and the comparisons that it is made of, in the folder comparison."""
    output_dir = Path(output_dir)
    compare_encoders(output_dir / "comparison" / "encoders", encoders)
    compare_folds(output_dir / "comparison" / "folds", folds)
    drawn = {figure.name: figure for figure in (*encoder_figures(encoders), *fold_figures(folds))}
    figures = [drawn[name] for name in FIGURES if name in drawn]
    figures = [dataclasses.replace(one, title=f"Figure {i}: {one.title}") for i, one in enumerate(figures, 1)]
    classifiers = len(folds.names) - len(folds.baselines)
    facts = {"classifiers": f"{classifiers}, in {folds.number} folds; subjects: {folds.subjects}"} | head_of_encoders(
        encoders
    )
    content = {"encoders": encoders, "folds": folds, "findings": findings(folds), "facts": facts}
    title = "What self-supervised encoders are worth"
    return write_page(output_dir / "study.html", "study.html", figures, {}, title=title, **content)


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.reports.study", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("--encoders", nargs="+", required=True, help="folders of evaluations")
    parser.add_argument("--folds", nargs="+", required=True, help="folders of cross-validations")
    given = parser.parse_args()
    page = write_study(given.output_dir, read_encoders(given.encoders), read_folds(given.folds))
    print(f"Study: {page}")
