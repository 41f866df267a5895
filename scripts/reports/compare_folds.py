"""Several cross-validations of the same folds in one table and on one page, with how sure their differences are."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from monai.utils import optional_import

from ..atomic import write_csv_atomically
from ..errors import report_input_errors
from .figure import Figure
from .fold_figures import fold_dots, label_curves
from .fold_results import FoldResults, is_untrained
from .head import made
from .page import write_page
from .read_folds import read_folds

if TYPE_CHECKING:
    import pandas

__all__ = ["compare_folds", "findings", "fold_figures"]

SURE = 0.05  # largest p of the corrected test over folds, corrected by Holm, at which a difference is called one


def compare_folds(output_dir: str | Path, folds: FoldResults) -> Path:
    """Write comparison.csv (of each pair), and comparison.html with its figures in `output_dir`.

    Returns:
        The path of the page; without matplotlib, which it needs, that of the table.
    """
    table = Path(output_dir) / "comparison.csv"
    header = ["encoder", "other", *next(iter(folds.tests.values())), "folds", "of_folds"]
    counted = [len(next(iter(folds.aucs.values()))), folds.number]
    write_csv_atomically(table, [header, *([*pair, *test.values(), *counted] for pair, test in folds.tests.items())])
    if not optional_import("matplotlib")[1]:
        return table
    facts = {"subjects": folds.subjects, "scores": len(folds.scores)} | made({})
    content = {"title": "Cross-validation", "facts": facts, "folds": folds, "findings": findings(folds)}
    return write_page(table.with_suffix(".html"), "folds.html", fold_figures(folds), {}, **content)


def fold_figures(folds: FoldResults) -> list[Figure]:
    """ROC AUC in each fold and, where it was measured, by the share of labels."""
    caption = (
        f"ROC AUC in {folds.counted}, a dot each; bars hold their middle half, lines are medians; in grey, what an "
        "encoder must beat."
    )
    figures = [fold_dots("auc", "ROC AUC", caption, folds.aucs, folds.baselines)]
    return figures if folds.efficiency is None else [*figures, _label_efficiency(folds, folds.efficiency)]


def findings(folds: FoldResults) -> dict[str, list[str]]:
    """What each encoder beats, and what not, in words."""
    encoders = [name for name in folds.names if name not in folds.baselines]
    return {name: [_verdict(folds, name, other) for other in _to_beat(folds, name)] for name in encoders}


def _to_beat(folds: FoldResults, name: str) -> list[str]:
    """The baselines, and the untrained encoder: at the same layers, if that is known."""
    untrained = [other for other in folds.names if is_untrained(other) and other != name]
    alike = [other for other in untrained if other.partition(" (")[2] == name.partition(" (")[2]]
    return [*(alike or untrained), *(other for other in folds.baselines if not is_untrained(other))]


def _verdict(folds: FoldResults, name: str, other: str) -> str:
    test = folds.tests[name, other]
    p, better = test["p_holm"], test["difference"] > 0
    verdict = "beats" if better and p < SURE else "is not surely better than" if better else "does not beat"
    over_subjects = f" over folds, {test['p_subjects_holm']:.2g} over subjects" if test["subjects"] else ""
    return f"{verdict} {_called(other)} (p = {p:.2g}{over_subjects})"


def _called(other: str) -> str:
    return f"the {other} encoder" if is_untrained(other) else f"{other} alone"


def _label_efficiency(folds: FoldResults, table: "pandas.DataFrame") -> Figure:
    """At the shares that all have measured."""
    known = table.groupby("label_share")["encoder"].nunique()
    shares = known.index[known == table["encoder"].nunique()]
    aucs = table.pivot(index=["encoder", "label_share"], columns="fold", values="auc")
    measured = [name for name in folds.names if name in aucs.index]
    values = {name: aucs.loc[name].loc[shares].to_numpy() for name in measured}
    return label_curves("label_efficiency", "ROC AUC", shares.to_numpy(), values, folds.baselines)


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.reports.compare_folds", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("folders", nargs="+", help="folders of cross-validations")
    given = parser.parse_args()
    print(f"Comparison: {compare_folds(given.output_dir, read_folds(given.folders))}")
