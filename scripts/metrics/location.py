"""How well embeddings know places and distances in the body."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from .subject_bootstrap import SubjectBootstrap

__all__ = ["Crops", "distance_figures", "location_figures", "physical_pairs"]


@dataclass(frozen=True)
class Crops:
    """Crops as an encoder sees them.

    Attributes:
        embedding: [N, D].
        location: crop centres in mm, [N, 3].
        scan: number of the scan of each crop, [N].
        intensities: `octant_histograms` of crops, [N, 272]: what is known without an encoder.
        layers: features of the encoder's layers, by their names, [N, ...].
        known: what else is known of the crops without an encoder, by name, [N, ...].
    """

    embedding: torch.Tensor
    location: torch.Tensor
    scan: torch.Tensor
    intensities: torch.Tensor
    layers: Mapping[str, torch.Tensor] = field(default_factory=dict)
    known: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def features(self, layers: Sequence[str]) -> torch.Tensor:
        """Features of some of the layers, joined, [N, D]."""
        return torch.cat([self.layers[layer] for layer in layers], 1)

    def some(self, kept: torch.Tensor) -> "Crops":
        """Those of rows [N], bool."""
        layers, known = ({name: values[kept] for name, values in named.items()} for named in (self.layers, self.known))
        return Crops(self.embedding[kept], self.location[kept], self.scan[kept], self.intensities[kept], layers, known)


def physical_pairs(crops: Crops) -> tuple[torch.Tensor, torch.Tensor]:
    """D_physical in mm of all pairs i < j, as `torch.pdist` has them, and whether they are of one scan, [P] each."""
    first, second = torch.triu_indices(len(crops.scan), len(crops.scan), 1)
    return torch.pdist(crops.location), crops.scan[first] == crops.scan[second]


def location_figures(
    draws: SubjectBootstrap, prediction: torch.Tensor, target: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of predicted places: mean distance from the true ones, mean absolute difference along each axis, and R² of each.

    R² is the coefficient of determination: 1 - residual / total sum of squares.

    Args:
        draws: of the subjects of N crops, R.
        prediction: in mm, [N, 3], or [3] for all.
        target: in mm, [N, 3].

    Returns:
        Of each draw, [R], [R, 3] and [R, 3].

    Example:
        >>> places = torch.tensor([[0.0, 5.0, 1.0], [2.0, 7.0, 3.0]])
        >>> draws = SubjectBootstrap(["A", "A"], repeats=0)
        >>> location_figures(draws, places, places)[2], location_figures(draws, places.mean(0), places)[2]
        (tensor([[1., 1., 1.]], dtype=torch.float64), tensor([[0., 0., 0.]], dtype=torch.float64))
    """
    missed, centred = (prediction - target).double(), target.double() - target.double().mean(0)
    columns = [missed.norm(dim=1, keepdim=True), missed.abs(), missed**2, centred, centred**2]
    means = draws.crop_means(torch.cat(columns, 1))
    error, absolute, residual, mean, square = means.split([column.shape[1] for column in columns], 1)
    return error[:, 0], absolute, 1 - residual / (square - mean**2)


def distance_figures(
    draws: SubjectBootstrap, prediction: torch.Tensor, target: torch.Tensor, counted: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of predicted distances of pairs of crops: mean absolute error, and Pearson's correlation with the true ones.

    Args:
        draws: of the subjects of the crops, R.
        prediction: in mm, [P], or one for all pairs.
        target: in mm, [P].
        counted: which pairs are, [P].

    Returns:
        Of each draw, [R] and [R].
    """
    x, y = (values.double() - values.double().mean() for values in (prediction.expand_as(target), target))

    def columns() -> Iterator[torch.Tensor]:  # one after the other: there may be many pairs
        yield (prediction - target).abs()
        yield from (x, y)
        yield from (one * other for one, other in ((x, x), (y, y), (x, y)))

    error, mean_x, mean_y, mean_xx, mean_yy, mean_xy = draws.pair_means(columns(), counted).unbind(1)
    covariance, variances = mean_xy - mean_x * mean_y, (mean_xx - mean_x**2) * (mean_yy - mean_y**2)
    return error, covariance / variances.sqrt()
