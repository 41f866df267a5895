"""What a frozen encoder is worth for a task: a linear classifier in folds of subjects, beside what it must beat."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from monai.metrics import compute_average_precision, compute_roc_auc
from torch import nn

from .atomic import write_csv_atomically
from .checkpoint import load_encoder
from .errors import InputError
from .fold_statistics import bootstrap_interval
from .folds import parts_of_fold, subject_folds
from .location import prepare_crops
from .logistic_probe import LogisticProbe

__all__ = ["RIVALS", "cross_validate_encoder", "out_of_fold_scores", "rival_features"]

logger = logging.getLogger(__name__)

RIVALS = ("position", "intensity")
UNTRAINED = "random"
METRICS = (compute_roc_auc, compute_average_precision)


def cross_validate_encoder(
    network: nn.Module,
    encoder: str,
    name: str,
    loader: Iterable,
    inferer: Callable,
    device: torch.device,
    scans: list[dict],
    folds: int,
    seed: int,
    output_dir: str,
) -> None:
    """Classify crops by an encoder's embeddings, and by position and by intensity alone, in the same folds.

    Writes cross_validation.csv (encoder, fold, auc, average_precision, positives, negatives, subjects) and scores.csv
    (the out-of-fold score of each crop).

    Args:
        network: the encoder is loaded into it.
        encoder: path of its weights; `random` leaves the network as it is.
        name: of the encoder in the tables.
        loader: of crops of all scans, with `image`, `location`, `scan` and `label`.
        inferer: runs the network on crops.
        device: where to.
        scans: their items, for the subject of each.
        folds: how many; `seed` deals the subjects into them.
        output_dir: where the tables go.

    Raises:
        InputError: no scan has a mask, the weights are not the network's, or there are too few subjects.
    """
    if not scans:
        raise InputError("None of the scans has a mask: give dataset_dir scans with masks, or a list with label.")
    if name in RIVALS:
        raise InputError(f"An encoder cannot be called {name}, as a rival is: give it another name.")
    if encoder != UNTRAINED:
        load_encoder(network, encoder)
    features, labels, scan = _features(network, name, loader, inferer, device)
    subject = {item["scan"]: item["subject"] for item in scans}
    subjects = [subject[int(number)] for number in scan]
    with_lesion = {one: 0 for one in subjects}
    for one, label in zip(subjects, labels, strict=True):
        with_lesion[one] |= int(label)
    assigned = subject_folds(with_lesion, folds, seed)
    scores = {name: out_of_fold_scores(values, labels, subjects, assigned) for name, values in features.items()}
    _write(Path(output_dir), scores, labels.numpy(), np.array(subjects), assigned)


def out_of_fold_scores(
    features: torch.Tensor, labels: torch.Tensor, subjects: list[str], assigned: dict[str, int]
) -> np.ndarray:
    """Logits [N] of features [N, D], each by a classifier that has seen no crop of its subject.

    Args:
        features: [N, D].
        labels: 0 or 1, [N].
        subjects: of each crop, [N].
        assigned: fold of each subject.
    """
    scores = np.full(len(labels), np.nan)
    for fold in range(max(assigned.values()) + 1):
        train, validate, test = (torch.from_numpy(part) for part in parts_of_fold(subjects, assigned, fold).values())
        probe = LogisticProbe(features[train], labels[train], features[validate], labels[validate])
        scores[test.numpy()] = probe(features[test]).numpy()
    return scores


def rival_features(image: torch.Tensor, location: torch.Tensor) -> dict[str, torch.Tensor]:
    """What is known without an encoder: the place of crops, and their intensities, each with squares and products.

    Args:
        image: [N, C, X, Y, Z].
        location: mm, [N, 3].

    Returns:
        `position`, [N, 9], and `intensity`: mean, standard deviation and five percentiles, [N, 35].
    """
    voxels = image.flatten(1).float()
    percentiles = torch.quantile(voxels, torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], device=voxels.device), 1).T
    moments = torch.stack([voxels.mean(1), voxels.std(1)], 1)
    return {"position": _quadratic(location), "intensity": _quadratic(torch.cat([moments, percentiles], 1))}


def _quadratic(features: torch.Tensor) -> torch.Tensor:
    first, second = torch.triu_indices(features.shape[1], features.shape[1])
    return torch.cat([features, features[:, first] * features[:, second]], 1)


@torch.no_grad()
def _features(network, name: str, loader, inferer, device) -> tuple[dict, torch.Tensor, torch.Tensor]:
    parts = []
    for batch in loader:
        image, target = prepare_crops(batch, device)
        known = {name: inferer(image, network.eval())} | rival_features(image, target["location"])
        known |= {"label": torch.as_tensor(batch["label"]), "scan": target["scan"]}
        parts.append({key: tensor.cpu() for key, tensor in known.items()})
    joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    return joined, joined.pop("label"), joined.pop("scan")


def _write(folder: Path, scores: dict, labels: np.ndarray, subjects: np.ndarray, assigned: dict[str, int]) -> None:
    fold = np.array([assigned[subject] for subject in subjects])
    rows, means = [], {}
    for name, values in scores.items():
        for number in np.unique(fold):
            inside = fold == number
            score, truth = torch.from_numpy(values[inside]), torch.from_numpy(labels[inside])
            both = 0 < truth.sum() < len(truth)
            metrics = [float(metric(score, truth)) if both else np.nan for metric in METRICS]
            counts = (int(truth.sum()), int((1 - truth).sum()), len(set(subjects[inside])))
            rows.append([name, number, *metrics, *counts])
        low, high = bootstrap_interval(values, labels, subjects, fold)
        means[name] = np.nanmean([row[2] for row in rows if row[0] == name])
        logger.info(
            f"{name}: AUC {means[name]:.3f} (95 % from {low:.3f} to {high:.3f}) over {len(np.unique(fold))} folds."
        )
    header = ["encoder", "fold", "auc", "average_precision", "positives", "negatives", "subjects"]
    write_csv_atomically(folder / "cross_validation.csv", [header, *rows])
    columns = zip(subjects, fold, labels.astype(int), *scores.values(), strict=True)
    write_csv_atomically(folder / "scores.csv", [["subject", "fold", "label", *scores], *columns])
    own, *_ = scores
    for rival in RIVALS:
        if means[own] <= means[rival]:
            logger.warning(f"{own} does not beat {rival} alone: {means[own]:.3f} against {means[rival]:.3f}.")
