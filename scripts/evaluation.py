"""What an encoder is worth, on subjects that it never saw, beside what it must beat."""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool3d

from .checkpoint import write_atomically
from .location import prepare_crops
from .probe import PrincipalComponents, RidgeProbe, r2_score, rankme

__all__ = ["Embeddings", "distance_pairs", "embed", "evaluate_encoder"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Embeddings:
    """Crops as an encoder sees them.

    Attributes:
        embedding: [N, D].
        location: crop centres in mm, [N, 3].
        scan: number of the scan of each crop, [N].
        intensities: crops averaged down to 8³ blocks, [N, 512]: what can be known without an encoder.
    """

    embedding: torch.Tensor
    location: torch.Tensor
    scan: torch.Tensor
    intensities: torch.Tensor


@torch.no_grad()
def embed(network: nn.Module, loader: Iterable, inferer: Callable, device: torch.device) -> Embeddings:
    """Embed all crops of a loader with a network in evaluation mode."""
    network.eval()
    parts = []
    for batch in loader:
        image, target = prepare_crops(batch, device)
        blocks = adaptive_avg_pool3d(image, 8).flatten(1)
        parts.append([part.cpu() for part in (inferer(image, network), target["location"], target["scan"], blocks)])
    return Embeddings(*map(torch.cat, zip(*parts, strict=True)))


def distance_pairs(crops: Embeddings, within: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """D_latent and D_physical (mm, [P] each) of all pairs i < j, or of those within a scan."""
    latent, physical = torch.pdist(crops.embedding), torch.pdist(crops.location)
    if within:
        first, second = torch.triu_indices(len(crops.scan), len(crops.scan), 1)
        same = crops.scan[first] == crops.scan[second]
        latent, physical = latent[same], physical[same]
    return latent, physical


def evaluate_encoder(train: Embeddings, validate: Embeddings, test: Embeddings, pairs: str) -> dict:
    """Figures of one encoder on the test crops; what is fitted is fitted on the training crops.

    Args:
        train: crops of training subjects, to fit the probe, the components and the means.
        validate: crops of validation subjects, to choose the probe's penalty.
        test: crops of subjects that neither the encoder nor the probe has seen.
        pairs: `all` or `within`: the pairs whose distances the encoder was trained on.

    Returns:
        Names of metrics.json and their values: errors in mm, mean Euclidean (`_axes`: mean absolute, of x, y, z).
    """
    prediction = RidgeProbe(train.embedding, train.location, validate.embedding, validate.location)(test.embedding)
    components = PrincipalComponents(train.embedding)
    scores = [components(crops.embedding) for crops in (train, validate, test)]
    from_scores = RidgeProbe(scores[0], train.location, scores[1], validate.location)(scores[2])
    latent, physical = distance_pairs(test, within=pairs == "within")
    latent_within, physical_within = distance_pairs(test, within=True)
    return {
        "location_error_mm": _euclidean(prediction, test.location),
        "location_error_mm_axes": (prediction - test.location).abs().mean(0).tolist(),
        "location_r2": r2_score(prediction, test.location).tolist(),
        "pca3_location_r2": r2_score(from_scores, test.location).tolist(),
        "distance_error_mm": float((latent - physical).abs().mean()),
        "distance_error_mm_within_scans": float((latent_within - physical_within).abs().mean()),
        "rankme": rankme(test.embedding),
    }


def evaluate_rivals(train: Embeddings, validate: Embeddings, test: Embeddings, pairs: str) -> dict:
    """The figures that need no encoder: raw intensities, the mean position, and the mean distance."""
    probe = RidgeProbe(train.intensities, train.location, validate.intensities, validate.location)
    _, physical_train = distance_pairs(train, within=pairs == "within")
    _, physical = distance_pairs(test, within=pairs == "within")
    return {
        "location_error_mm_intensities": _euclidean(probe(test.intensities), test.location),
        "location_error_mm_mean_position": _euclidean(train.location.mean(0), test.location),
        "distance_error_mm_mean_distance": float((physical - physical_train.mean()).abs().mean()),
    }


def _euclidean(prediction: torch.Tensor, target: torch.Tensor) -> float:
    return float((prediction - target).norm(dim=1).mean())
