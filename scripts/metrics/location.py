"""How well embeddings know places and distances in the body."""

from dataclasses import dataclass

import torch

__all__ = ["Crops", "distance_error", "distance_pairs", "location_error", "r2_score"]


@dataclass(frozen=True)
class Crops:
    """Crops as an encoder sees them.

    Attributes:
        embedding: [N, D].
        location: crop centres in mm, [N, 3].
        scan: number of the scan of each crop, [N].
        intensities: crops averaged down to 8³ blocks, [N, 512]: what is known without an encoder.
    """

    embedding: torch.Tensor
    location: torch.Tensor
    scan: torch.Tensor
    intensities: torch.Tensor


def distance_pairs(crops: Crops) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """D_latent and D_physical in mm of all pairs i < j, and whether they are of one scan, [P] each."""
    first, second = torch.triu_indices(len(crops.scan), len(crops.scan), 1)
    return torch.pdist(crops.embedding), torch.pdist(crops.location), crops.scan[first] == crops.scan[second]


def location_error(prediction: torch.Tensor, target: torch.Tensor) -> float:
    """Mean distance in mm of predicted places, [N, 3] or one place [3] for all, from true ones [N, 3] in mm."""
    return float((prediction - target).norm(dim=1).mean())


def distance_error(prediction: torch.Tensor, target: torch.Tensor) -> float:
    """Mean absolute error in mm of predicted distances, [P] or one for all pairs, from true ones [P] in mm."""
    return float((prediction - target).abs().mean())


def r2_score(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Coefficient of determination of each column: 1 - residual / total sum of squares, [T] from [N, T] and [N, T].

    Example:
        >>> places = torch.tensor([[0.0, 5.0], [2.0, 7.0]])
        >>> r2_score(places, places), r2_score(places.mean(0), places)  # all of the variance, and none of it
        (tensor([1., 1.], dtype=torch.float64), tensor([0., 0.], dtype=torch.float64))
    """
    target = target.double()
    return 1 - (prediction - target).pow(2).sum(0) / (target - target.mean(0)).pow(2).sum(0)
