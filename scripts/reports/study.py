"""A study on one page: what encoders know of places in the body, and what they are worth for tasks."""

import argparse
import dataclasses
from pathlib import Path

from ..errors import report_input_errors
from .compare_encoders import compare_encoders, encoder_figures, head_of_encoders
from .compare_folds import compare_folds, findings, fold_figures
from .efficiency_results import EfficiencyResults
from .encoder_results import EncoderResults, read_encoders
from .figure import Figure
from .fold_results import FoldResults
from .label_efficiency import efficiency_figures, write_label_efficiency
from .page import write_page
from .read_efficiency import read_efficiency
from .read_folds import read_folds

__all__ = ["write_study"]

FIGURES = ("distances", "maps", "auc", "label_efficiency", "dice")


def write_study(
    output_dir: str | Path,
    encoders: EncoderResults,
    folds: FoldResults | None = None,
    results: EfficiencyResults | None = None,
) -> Path:
    """Write study.html (its path is returned), and the comparisons that it is made of, in the folder comparison.

    Args:
        output_dir: where these go.
        encoders: evaluated on the same crops.
        folds: classifiers of their features, cross-validated; None: there are none.
        results: segmentations that begin with them; None likewise.
    """
    output_dir = Path(output_dir)
    comparison, facts, figures = output_dir / "comparison", {}, encoder_figures(encoders)
    compare_encoders(comparison / "encoders", encoders)
    if folds is not None:
        compare_folds(comparison / "folds", folds)
        classifiers = len(folds.names) - len(folds.baselines)
        facts["classifiers"] = f"{classifiers}, in {folds.number} folds; subjects: {folds.subjects}"
        figures += fold_figures(folds)
    if results is not None:
        write_label_efficiency(comparison / "segmentation", results)
        facts["segmentations"] = f"{', '.join(results.classes)}; test subjects: {results.subjects}"
        figures += [
            dataclasses.replace(efficiency_figures(results)[0], name="dice", title="Segmentation with few labels")
        ]
    content = {
        "title": "What self-supervised encoders are worth",
        "facts": facts | head_of_encoders(encoders),
        "encoders": encoders,
        "folds": folds,
        "findings": {} if folds is None else findings(folds),
        "results": results,
    }
    return write_page(output_dir / "study.html", "study.html", _numbered(figures), {}, **content)


def _numbered(figures: list[Figure]) -> list[Figure]:
    """Those that a study shows, in its order."""
    drawn = {figure.name: figure for figure in figures}
    shown = [drawn[name] for name in FIGURES if name in drawn]
    return [dataclasses.replace(one, title=f"Figure {i}: {one.title}") for i, one in enumerate(shown, 1)]


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.reports.study", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("--encoders", nargs="+", required=True, help="folders of evaluations")
    parser.add_argument("--folds", nargs="*", help="folders of cross-validations")
    parser.add_argument("--segmentations", nargs="*", help="folders of trainings of organ_segmentation")
    given = parser.parse_args()
    folds = read_folds(given.folds) if given.folds else None
    results = read_efficiency(given.segmentations) if given.segmentations else None
    page = write_study(given.output_dir, read_encoders(given.encoders), folds, results)
    print(f"Study: {page}")
