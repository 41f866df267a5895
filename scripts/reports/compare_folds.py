"""Several cross-validations of the same folds in one table and on one page, with how sure their differences are."""

import argparse
import csv
import itertools
from html import escape
from pathlib import Path

import numpy as np
import torch
from monai.metrics import compute_roc_auc
from monai.utils import optional_import

from ..atomic import write_csv_atomically
from ..errors import InputError, report_input_errors
from ..evaluation.cross_validation import FOLD_METRICS
from ..metrics.fold_statistics import bootstrap_interval, paired_tests
from .figures import Figure, box_plot, label_curves
from .page import format_table, write_page

__all__ = ["compare_folds", "fold_sections"]


ALIKE = ("subject", "fold", "label")

UNTRAINED = "untrained"  # an encoder of this name is to be beaten too

CALLED = {UNTRAINED: "the untrained encoder"}

SURE = 0.05  # largest p of the corrected test at which a difference is called one


def compare_folds(output_dir: str | Path, folders: list[str | Path]) -> Path:
    """Write comparison.csv (of each pair) and comparison.html; the path of the page is returned, or of the table.

    Args:
        output_dir: where the files go.
        folders: of `cross_validate`'s results.

    Raises:
        InputError: a folder has no scores, they are not of the same items and folds, or two encoders have one name.
    """
    items, scores, _ = _read(folders)
    tests = _tests(_aucs(items, scores), len(set(items["fold"])))
    table = Path(output_dir) / "comparison.csv"
    header = ["encoder", "other", *next(iter(tests.values()))]
    write_csv_atomically(table, [header, *([*pair, *test.values()] for pair, test in tests.items())])
    if not optional_import("matplotlib")[1]:
        return table
    facts = {"subjects": len(set(items["subject"])), "scores": len(items["label"]), "folds": len(set(items["fold"]))}
    return write_page(Path(output_dir) / "comparison.html", "Cross-validation", facts, *fold_sections(folders), {})


def fold_sections(folders: list[str | Path]) -> tuple[list[str], list[Figure]]:
    """What a page says of cross-validations, as HTML, and its figures; arguments and errors as for `compare_folds`."""
    items, scores, baselines = _read(folders)
    aucs = _aucs(items, scores)
    tests = _tests(aucs, len(set(items["fold"])))
    intervals = {
        name: bootstrap_interval(values, *(items[key] for key in ("label", "subject", "fold")))
        for name, values in scores.items()
    }
    to_beat = [*(name for name in scores if name == UNTRAINED), *baselines]
    lead = "<br>".join(_finding(name, to_beat, aucs, intervals, tests) for name in scores if name not in baselines)
    parts = [f'<p class="lead">{lead}</p>', _means(folders, intervals), _differences(list(scores), tests)]
    figures = [box_plot("auc", "ROC AUC", "ROC AUC in each fold; in grey, what an encoder must beat.", aucs, baselines)]
    return parts, figures + _efficiency(folders, baselines)


def _read(folders: list[str | Path]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], list[str]]:
    """What all folders have alike, of each item; scores of each classifier, baselines last; the baselines' names."""
    items, scores, baselines = {}, {}, {}
    for folder in map(Path, folders):
        rows = _rows(folder, "scores.csv")
        columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        known = {name: columns.pop(name) for name in ALIKE}
        if items and any(not np.array_equal(known[name], items[name]) for name in ALIKE):
            raise InputError(
                f"{folder} was not cross-validated on the crops and folds of {folders[0]}: use its settings."
            )
        items, own = known, next(iter(columns))
        if own in scores:
            raise InputError(f"Two encoders are called {own}: cross-validate one again with another --name.")
        scores[own] = columns.pop(own).astype(float)
        for name, values in columns.items():
            values = values.astype(float)
            if not np.allclose(values, baselines.setdefault(name, values), atol=1e-3):
                raise InputError(
                    f"{name} alone says something else in {folder} than in the folders before it: cross-validate all "
                    "with the same spacing, crop_size, frame, intensity and seed."
                )
    items["label"] = items["label"].astype(int)
    return items, scores | baselines, list(baselines)


def _rows(folder: Path, file: str) -> list[dict[str, str]]:
    if not (folder / file).is_file():
        raise InputError(f"There is no {file} in {folder}: cross-validate an encoder with it as output_dir first.")
    with open(folder / file, newline="") as opened:
        return list(csv.DictReader(opened))


def _aucs(crops: dict[str, np.ndarray], scores: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """ROC AUC of each classifier in each fold that has crops with and without a lesion."""
    members = [crops["fold"] == fold for fold in np.unique(crops["fold"])]
    members = [inside for inside in members if 0 < crops["label"][inside].mean() < 1]
    labels = [torch.from_numpy(crops["label"][inside]) for inside in members]
    return {
        name: np.array([compute_roc_auc(torch.from_numpy(values[i]), y) for i, y in zip(members, labels, strict=True)])
        for name, values in scores.items()
    }


def _tests(aucs: dict[str, np.ndarray], folds: int) -> dict[tuple[str, str], dict[str, float]]:
    """`paired_tests` of each pair; of k folds, one tests and one validates, so that k - 2 train."""
    pairs = itertools.permutations(aucs, 2)
    return {(first, second): paired_tests(aucs[first], aucs[second], 1 / (folds - 2)) for first, second in pairs}


def _finding(name: str, to_beat: list[str], aucs: dict, intervals: dict, tests: dict) -> str:
    low, high = intervals[name]
    findings = []
    for baseline in [other for other in to_beat if other != name]:
        p = tests[name, baseline]["p_corrected"]
        better = aucs[name].mean() > aucs[baseline].mean()
        verdict = "beats" if better and p < SURE else "is not surely better than" if better else "does not beat"
        findings.append(f"{verdict} {escape(CALLED.get(baseline, baseline + ' alone'))} (p = {p:.2g})")
    auc = f"AUC {aucs[name].mean():.3f} (95 % from {low:.3f} to {high:.3f})"
    return f"<b>{escape(name)}</b>: {auc}; it {', '.join(findings)}."


def _means(folders: list[str | Path], intervals: dict[str, tuple[float, float]]) -> str:
    """Table of the means over folds of all that cross_validation.csv has of each fold."""
    found = {name: {} for name in intervals}
    for row in itertools.chain.from_iterable(_rows(Path(folder), "cross_validation.csv") for folder in folders):
        found[row["encoder"]][row["fold"]] = [float(row[name]) for name in FOLD_METRICS]
    rows = []
    for name, (low, high) in intervals.items():
        auc, *others = (f"{value:.3f}" for value in np.nanmean(list(found[name].values()), 0))
        cells = [f"<strong>{auc}</strong>", f"{low:.3f} to {high:.3f}", *others]
        rows.append(_row(name, cells))
    note = "Sensitivity and specificity at a threshold chosen on the fold that validates."
    columns = ["AUC", "95 % interval", *(name.replace("_", " ") for name in FOLD_METRICS[1:])]
    return format_table("Means over folds", columns, rows) + f"<small>{note}</small>"


def _differences(names: list[str], tests: dict) -> str:
    rows = []
    for name in names:
        found = [tests.get((name, other)) for other in names]
        cells = [
            f"{test['difference']:+.3f}<small>p {test['p_paired']:.2g} / {test['p_corrected']:.2g}</small>"
            if test
            else ""
            for test in found
        ]
        rows.append(_row(name, cells))
    note = (
        "Differences of the mean AUC, row less column; p of the paired t-test / as Nadeau and Bengio correct it, of "
        "each pair by itself, however many there are."
    )
    return format_table("Differences", names, rows) + f"<small>{note}</small>"


def _row(name: str, cells: list[str]) -> str:
    return f"<tr><td>{escape(name)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _efficiency(folders: list[str | Path], baselines: list[str]) -> list[Figure]:
    """The figure of label_efficiency.csv, of the folders that have one."""
    found = {}
    for folder in (path for path in map(Path, folders) if (path / "label_efficiency.csv").is_file()):
        for row in _rows(folder, "label_efficiency.csv"):
            shares = found.setdefault(row["encoder"], {})
            shares.setdefault(float(row["label_share"]), {})[row["fold"]] = float(row["auc"])
    if not found:
        return []
    shares = sorted(set.intersection(*(set(aucs) for aucs in found.values())))
    order = [name for name in found if name not in baselines] + [name for name in found if name in baselines]
    values = {name: np.array([list(found[name][share].values()) for share in shares]) for name in order}
    return [label_curves("label_efficiency", "ROC AUC", np.array(shares), values, baselines)]


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.fold_comparison", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("folders", nargs="+", help="folders of cross-validations")
    print(f"Comparison: {compare_folds(**vars(parser.parse_args()))}")
