"""Several cross-validations of the same folds in one table and on one page, with how sure their differences are."""

import argparse
import csv
from html import escape
from pathlib import Path

import numpy as np
import torch
from monai.metrics import compute_roc_auc
from monai.utils import optional_import

from .atomic import write_csv_atomically
from .cross_validation import RIVALS
from .errors import InputError, report_input_errors
from .figures import box_plot
from .fold_statistics import bootstrap_interval, paired_tests
from .page import format_table, write_page

__all__ = ["compare_folds"]

ALIKE = ("subject", "fold", "label")
SURE = 0.05  # largest p of the corrected test at which a difference is called one


def compare_folds(output_dir: str | Path, folders: list[str | Path]) -> Path:
    """Write comparison.csv (of each pair) and comparison.html; the path of the page is returned, or of the table.

    Args:
        output_dir: where the files go.
        folders: of `cross_validate_encoder`'s results.

    Raises:
        InputError: a folder has no scores, they are not of the same crops and folds, or two encoders have one name.
    """
    crops, scores = _read(folders)
    aucs = _aucs(crops, scores)
    folds = len(np.unique(crops["fold"]))
    # of k folds, one tests and one validates: 1 / (k - 2) test subjects per training subject
    tests = {
        (first, second): paired_tests(aucs[first], aucs[second], 1 / (folds - 2))
        for first in aucs
        for second in aucs
        if first != second
    }
    table = Path(output_dir) / "comparison.csv"
    header = ["encoder", "other", *next(iter(tests.values()))]
    write_csv_atomically(table, [header, *([*pair, *test.values()] for pair, test in tests.items())])
    if not optional_import("matplotlib")[1]:
        return table
    intervals = {
        name: bootstrap_interval(values, *(crops[key] for key in ("label", "subject", "fold")))
        for name, values in scores.items()
    }
    lead = " ".join(_finding(name, aucs, intervals, tests) for name in scores if name not in RIVALS)
    parts = [f'<p class="lead">{lead}</p>', _table(aucs, intervals, tests)]
    facts = {"subjects": len(set(crops["subject"])), "crops": len(crops["label"]), "folds": folds}
    figure = box_plot("auc", "ROC AUC", "ROC AUC in each fold; in grey, what an encoder must beat.", aucs, RIVALS)
    return write_page(Path(output_dir) / "comparison.html", "Cross-validation", facts, parts, [figure], {})


def _read(folders: list[str | Path]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What all folders have alike, of each crop, and the scores of each classifier; rivals come last."""
    crops, scores, rivals = {}, {}, {}
    for folder in map(Path, folders):
        if not (folder / "scores.csv").is_file():
            raise InputError(
                f"There is no scores.csv in {folder}: cross-validate an encoder with it as output_dir first."
            )
        with open(folder / "scores.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        known = {name: columns.pop(name) for name in ALIKE}
        if crops and any(not np.array_equal(known[name], crops[name]) for name in ALIKE):
            raise InputError(
                f"{folder} was not cross-validated on the crops and folds of {folders[0]}: use its settings."
            )
        crops = known
        for name, values in columns.items():
            if name in scores:
                raise InputError(f"Two encoders are called {name}: cross-validate one again with another --name.")
            kind = rivals if name in RIVALS else scores
            kind[name] = values.astype(float)
    crops["label"] = crops["label"].astype(int)
    return crops, scores | rivals


def _aucs(crops: dict[str, np.ndarray], scores: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """ROC AUC of each classifier in each fold that has crops with and without a lesion."""
    members = [crops["fold"] == fold for fold in np.unique(crops["fold"])]
    members = [inside for inside in members if 0 < crops["label"][inside].mean() < 1]
    labels = [torch.from_numpy(crops["label"][inside]) for inside in members]
    return {
        name: np.array([compute_roc_auc(torch.from_numpy(values[i]), y) for i, y in zip(members, labels, strict=True)])
        for name, values in scores.items()
    }


def _finding(name: str, aucs: dict, intervals: dict, tests: dict) -> str:
    low, high = intervals[name]
    findings = []
    for rival in RIVALS:
        p = tests[name, rival]["p_corrected"]
        better = aucs[name].mean() > aucs[rival].mean()
        verdict = "beats" if better and p < SURE else "is not surely better than" if better else "does not beat"
        findings.append(f"{verdict} {rival} alone (p = {p:.2g})")
    auc = f"AUC {aucs[name].mean():.3f} (95 % from {low:.3f} to {high:.3f})"
    return f"<b>{escape(name)}</b>: {auc}; it {' and '.join(findings)}."


def _table(aucs: dict, intervals: dict, tests: dict) -> str:
    rows = []
    for name in aucs:
        low, high = intervals[name]
        cells = [f"<td><strong>{aucs[name].mean():.3f}</strong></td><td>{low:.3f} to {high:.3f}</td>"]
        for other in aucs:
            test = tests.get((name, other))
            text = (
                f"{test['difference']:+.3f}<small>p {test['p_paired']:.2g} / {test['p_corrected']:.2g}</small>"
                if test
                else ""
            )
            cells.append(f"<td>{text}</td>")
        rows.append(f"<tr><td>{escape(name)}</td>{''.join(cells)}</tr>")
    note = "Differences of the mean AUC, row less column; p of the paired t-test / as Nadeau and Bengio correct it."
    return format_table("Results", ["AUC", "95 % interval", *aucs], rows) + f"<small>{note}</small>"


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.fold_comparison", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("folders", nargs="+", help="folders of cross-validations")
    print(f"Comparison: {compare_folds(**vars(parser.parse_args()))}")
