"""Results of classifiers in the folds of one cross-validation, and how sure they are."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..metrics.fold_statistics import bootstrap_interval, enough_subjects
from ..metrics.roc_auc import roc_auc
from ..metrics.subject_tests import within_subject_auc
from ..networks.transfer import UNTRAINED
from .fold_tests import Tests, pair_tests

__all__ = ["ALIKE", "FoldResults", "is_untrained"]

if TYPE_CHECKING:
    import pandas

ALIKE = ["subject", "fold", "label"]  # of an item, the same in all tables of scores that can be compared


@dataclass(frozen=True)
class FoldResults:
    """Results of classifiers in the same folds.

    Attributes:
        scores: a row an item: subject, fold, label (0 or 1), and the score of each classifier, baselines last.
        baselines: the names of these.
        means: over the folds that have them, of `FOLD_METRICS` (the columns), of each classifier (the rows);
            `numbers` of these folds likewise.
        efficiency: a row a classifier, label_share and fold, with its auc; None where it was not measured.
        strata: a row a classifier and stratum of lesions, as `write_strata` says; None where nobody knows their size.

    A classifier is called as its encoder and, in brackets, the layers whose features it has.
    """

    scores: "pandas.DataFrame"
    baselines: list[str]
    means: "pandas.DataFrame"
    numbers: "pandas.DataFrame"
    efficiency: "pandas.DataFrame | None"
    strata: "pandas.DataFrame | None" = None

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
        """`bootstrap_interval` of the mean AUC of each classifier; none where there are too few subjects."""
        label, subject, fold = (self.scores[key].to_numpy(copy=True) for key in ("label", "subject", "fold"))
        if not enough_subjects(label, subject, fold):
            return {}
        return {
            name: bootstrap_interval(self.scores[name].to_numpy(copy=True), label, subject, fold) for name in self.names
        }

    @cached_property
    def within(self) -> dict[str, np.ndarray]:
        """ROC AUC of each classifier within each subject, [S]; nan where a subject has crops of one kind alone."""
        label, subject = (self.scores[key].to_numpy(copy=True) for key in ("label", "subject"))
        return {name: within_subject_auc(self.scores[name].to_numpy(copy=True), label, subject) for name in self.names}

    def within_mean(self, name: str) -> float:
        """Mean over subjects of `within`; nan where none has one."""
        known = self.within[name][np.isfinite(self.within[name])]
        return float(known.mean()) if len(known) else math.nan

    @property
    def of_both_kinds(self) -> int:
        """How many subjects have an AUC of their own."""
        return int(np.isfinite(next(iter(self.within.values()))).sum())

    @cached_property
    def tests(self) -> Tests:
        """`pair_tests` of all classifiers."""
        return pair_tests(self.aucs, self.within, self.number)

    def stratum(self, name: str, stratum: str) -> tuple[str, str]:
        """AUC of a classifier for lesions of a stratum, and its interval, in words; nothing where there is none."""
        if self.strata is None:
            return "", ""
        known = self.strata.set_index(["encoder", "stratum"])
        if (name, stratum) not in known.index or np.isnan(known.loc[(name, stratum), "auc"]):
            return "", ""
        auc, low, high = known.loc[(name, stratum), ["auc", "low", "high"]]
        return f"{auc:.3f}", "" if np.isnan(low) else f"95 % from {low:.3f} to {high:.3f}"

    @property
    def lesions(self) -> dict[str, str]:
        """What strata there are, and of how many crops and subjects, in words."""
        if self.strata is None:
            return {}
        known = self.strata.drop_duplicates("stratum").set_index("stratum")
        return {name: f"{row['positives']} crops of {row['subjects']} subjects" for name, row in known.iterrows()}


def is_untrained(name: str) -> bool:
    """Whether a classifier is of an untrained encoder, at whichever layers."""
    return name.partition(" (")[0] == UNTRAINED


def _auc(fold: "pandas.DataFrame", name: str) -> float:
    return roc_auc(*(torch.tensor(fold[key].to_numpy()) for key in (name, "label")))
