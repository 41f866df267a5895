"""Which lesions a classifier finds: its ROC AUC by how much lesion a crop holds."""

from pathlib import Path

import numpy as np
import torch

from ..atomic import write_csv_atomically
from ..metrics.fold_statistics import FEWEST_IN_A_FOLD, bootstrap_interval, fewest_in_a_fold
from ..metrics.roc_auc import roc_auc
from ..metrics.subject_bootstrap import FEWEST
from .features import Features

__all__ = ["STRATA", "write_strata"]

# ml, from and below; balls of 1 and of 10 ml are 12 and 27 mm wide. They are fixed, so that cohorts can be compared.
STRATA = {"below 1 ml": (0.0, 1.0), "1 to 10 ml": (1.0, 10.0), "10 ml and more": (10.0, np.inf)}


def write_strata(folder: Path, features: Features, fold: np.ndarray, scores: dict[str, np.ndarray]) -> None:
    """Write strata.csv: for each classifier and stratum, what tells its positive crops from all negative ones.

    Columns: encoder, layers, stratum, positives, negatives, subjects (who have such positives), auc (mean over the
    folds that have both) and its 95 % interval, low and high, where each fold that has such positives has them, and
    negatives, of subjects enough.

    Args:
        folder: where it goes.
        features: with `lesion_ml`, without which nothing is written.
        fold: of each item, [N].
        scores: out of fold, [N], by whose they are.
    """
    (folder / "strata.csv").unlink(missing_ok=True)  # of an earlier run
    if features.lesion_ml is None:
        return
    header = ["encoder", "layers", "stratum", "positives", "negatives", "subjects", "auc", "low", "high"]
    rows = []
    for name, values in scores.items():
        for stratum, (low, high) in STRATA.items():
            positive = (features.class_label == 1) & (features.lesion_ml >= low) & (features.lesion_ml < high)
            found = _stratum(features, fold, values, positive.numpy())
            rows.append([name, features.layers.get(name, ""), stratum, *found])
    write_csv_atomically(folder / "strata.csv", [header, *rows])


def _stratum(features: Features, fold: np.ndarray, scores: np.ndarray, positive: np.ndarray) -> list:
    """Positives, negatives, subjects, AUC and its interval, of the crops that are positive here, [N]."""
    label = features.class_label.numpy().astype(int)
    rows, subjects = positive | (label == 0), len(set(features.subject[positive]))
    known = scores[rows], label[rows], features.subject[rows], fold[rows]
    kinds = (positive, label == 0)
    few = subjects < FEWEST or any(
        fewest_in_a_fold(features.subject[kind], fold[kind]) < FEWEST_IN_A_FOLD for kind in kinds if kind.any()
    )
    interval = (np.nan, np.nan) if few else bootstrap_interval(*known)
    return [int(positive.sum()), int((label == 0).sum()), subjects, _mean_auc(*known), *interval]


def _mean_auc(scores: np.ndarray, label: np.ndarray, subject: np.ndarray, fold: np.ndarray) -> float:
    """Over the folds that have positives and negatives; nan where none has."""
    score, known = torch.from_numpy(scores), torch.from_numpy(label)
    aucs = [roc_auc(score[rows], known[rows]) for rows in (fold == one for one in np.unique(fold))]
    return float(np.nanmean(aucs)) if np.isfinite(aucs).any() else np.nan
