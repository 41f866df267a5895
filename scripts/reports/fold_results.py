"""What several cross-validations left behind, if they are of the same items and folds, and how sure it is."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from monai.utils import optional_import

from ..errors import InputError
from ..evaluation.cross_validation import FOLD_METRICS
from ..metrics.fold_statistics import FEWEST_IN_A_FOLD, bootstrap_interval, fewest_in_a_fold, paired_tests
from ..metrics.roc_auc import roc_auc

__all__ = ["FoldResults", "read_folds"]

if TYPE_CHECKING:
    import pandas
else:
    pandas, _ = optional_import("pandas")

ALIKE = ["subject", "fold", "label"]


@dataclass(frozen=True)
class FoldResults:
    """Results of classifiers in the same folds.

    Attributes:
        scores: a row an item: subject, fold, label (0 or 1), and the score of each classifier, baselines last.
        baselines: the names of these.
        means: over the folds that have them, of `FOLD_METRICS` (the columns), of each classifier (the rows);
            `numbers` of these folds likewise.
        efficiency: a row a classifier, label_share and fold, with its auc; None where it was not measured.
    """

    scores: "pandas.DataFrame"
    baselines: list[str]
    means: "pandas.DataFrame"
    numbers: "pandas.DataFrame"
    efficiency: "pandas.DataFrame | None"

    @property
    def names(self) -> list[str]:
        """Of all classifiers."""
        return [*self.scores.columns.drop(ALIKE)]

    @cached_property
    def aucs(self) -> dict[str, np.ndarray]:
        """ROC AUC of each classifier in each fold that has items with and without a lesion."""
        folds = [fold for _, fold in self.scores.groupby("fold") if fold["label"].nunique() > 1]
        return {name: np.array([_auc(fold, name) for fold in folds]) for name in self.names}

    @property
    def number(self) -> int:
        """Of folds, also of those in which all items have one label, which have no AUC."""
        return self.scores["fold"].nunique()

    @property
    def counted(self) -> str:
        """Over which folds the mean AUC is, in words."""
        measured = len(next(iter(self.aucs.values())))
        return f"{measured} folds" if measured == self.number else f"{measured} of {self.number} folds"

    @property
    def subjects(self) -> str:
        """How many there are, and how many in a fold, in words."""
        of_folds = self.scores.groupby("fold")["subject"].nunique()
        few, many = of_folds.min(), of_folds.max()
        return f"{of_folds.sum()}, {few if few == many else f'{few} to {many}'} in a fold"

    def interval(self, name: str) -> str:
        """Of the mean AUC of a classifier, in words."""
        if not self.intervals:
            return f"too few subjects for an interval: {self.subjects}"
        low, high = self.intervals[name]
        return f"95 % from {low:.3f} to {high:.3f}"

    def over(self, name: str, metric: str) -> str:
        """In how many folds a metric could be measured, in words; nothing if in all."""
        measured = self.numbers.loc[name, metric.replace(" ", "_")]
        return "" if measured == self.number else f"over {measured} of {self.number} folds"

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """`bootstrap_interval` of the mean AUC of each classifier; none where a fold has too few subjects."""
        label, subject, fold = (self.scores[key].to_numpy(copy=True) for key in ("label", "subject", "fold"))
        if fewest_in_a_fold(subject, fold) < FEWEST_IN_A_FOLD:
            return {}
        return {
            name: bootstrap_interval(self.scores[name].to_numpy(copy=True), label, subject, fold) for name in self.names
        }

    @cached_property
    def tests(self) -> dict[tuple[str, str], dict[str, float]]:
        """`paired_tests` of each pair; of k folds, one tests and one validates, so that k - 2 train."""
        share, pairs = 1 / (self.number - 2), itertools.permutations(self.names, 2)
        return {(first, second): paired_tests(self.aucs[first], self.aucs[second], share) for first, second in pairs}


def read_folds(folders: Iterable[str | Path]) -> FoldResults:
    """Read each file of some folders of `cross_validate`'s results once.

    Raises:
        InputError: a package is missing, a folder has no scores, they are not of the same items and folds, or two
            encoders have one name.
    """
    for package in ("pandas", "scipy"):
        if not optional_import(package)[1]:
            raise InputError(f"Cross-validations are compared with {package}: pip install {package}.")
    paths = [Path(folder) for folder in folders]
    scores, baselines = _scores(paths)
    of_folds = _once(paths, "cross_validation.csv", ["encoder", "fold"]).groupby("encoder")[[*FOLD_METRICS]]
    measured = [folder for folder in paths if (folder / "label_efficiency.csv").is_file()]
    shares = _once(measured, "label_efficiency.csv", ["encoder", "label_share", "fold"]) if measured else None
    return FoldResults(scores, baselines, of_folds.mean(), of_folds.count(), shares)


def _scores(folders: list[Path]) -> tuple["pandas.DataFrame", list[str]]:
    """`FoldResults`' scores, and the names of the baselines, which all folders have."""
    tables = [_table(folder, "scores.csv") for folder in folders]
    items = tables[0][ALIKE]
    scores: dict[str, pandas.Series] = {}
    baselines: dict[str, pandas.Series] = {}
    for folder, table in zip(folders, tables, strict=True):
        if not table[ALIKE].equals(items):
            raise InputError(
                f"{folder} was not cross-validated on the crops and folds of {folders[0]}: use its settings."
            )
        own, *others = table.columns.drop(ALIKE)
        if own in scores:
            raise InputError(f"Two encoders are called {own}: cross-validate one again with another --name.")
        scores[own] = table[own]
        for name in others:
            if not np.allclose(table[name], baselines.setdefault(name, table[name]), atol=1e-3):
                raise InputError(
                    f"{name} alone says something else in {folder} than in the folders before it: cross-validate all "
                    "with the same spacing, crop_size, frame, intensity and seed."
                )
    return items.assign(**scores | baselines), list(baselines)


def _once(folders: list[Path], file: str, keys: list[str]) -> "pandas.DataFrame":
    """The tables of all folders in one; what several say of a baseline stands there once."""
    return pandas.concat([_table(folder, file) for folder in folders]).drop_duplicates(keys, keep="last")


def _table(folder: Path, file: str) -> "pandas.DataFrame":
    if not (folder / file).is_file():
        raise InputError(f"There is no {file} in {folder}: cross-validate an encoder with it as output_dir first.")
    texts = {"subject": str, "encoder": str}  # though they may look like numbers, or like pandas' "NA"
    return pandas.read_csv(folder / file, dtype=texts, keep_default_na=False, na_values="nan")


def _auc(fold: "pandas.DataFrame", name: str) -> float:
    return roc_auc(*(torch.tensor(fold[key].to_numpy()) for key in (name, "label")))
