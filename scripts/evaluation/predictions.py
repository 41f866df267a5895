"""What an encoder, and what it must beat, say of the places of test crops and of the distances between them."""

from dataclasses import dataclass

import torch

from ..metrics.location import Crops, physical_pairs
from ..probes.principal_components import PrincipalComponents
from ..probes.ridge import RidgeProbe

__all__ = ["Predictions", "baseline_predictions", "encoder_predictions"]


@dataclass(frozen=True)
class Predictions:
    """What is said of N test crops; None where nothing is.

    Attributes:
        location: where they are in mm, [N, 3], or [3] for all.
        location_of_components: likewise, [N, 3], by three principal components of their embeddings.
        distance: between those of all pairs in mm, [P], or one for all; `distance_within_scans` of those of one scan.
    """

    location: torch.Tensor | None = None
    location_of_components: torch.Tensor | None = None
    distance: torch.Tensor | None = None
    distance_within_scans: torch.Tensor | None = None


def encoder_predictions(train: Crops, validate: Crops, test: Crops) -> Predictions:
    """Those of ridge probes, and of the distances between embeddings.

    Args:
        train: crops of training subjects, for the probes and the principal components.
        validate: crops of validation subjects, to choose the probes' penalties.
        test: crops of subjects that neither the encoder nor a probe has seen.
    """
    location = RidgeProbe(train.embedding, train.location, validate.embedding, validate.location)(test.embedding)
    basis = PrincipalComponents(train.embedding)
    train_scores, validate_scores, test_scores = (basis(crops.embedding) for crops in (train, validate, test))
    of_components = RidgeProbe(train_scores, train.location, validate_scores, validate.location)(test_scores)
    distance = torch.pdist(test.embedding)
    return Predictions(location, of_components, distance, distance)


def baseline_predictions(train: Crops, validate: Crops, test: Crops) -> dict[str, Predictions]:
    """Without any encoder, by the ending of their metrics: from raw intensities, and the means of training crops."""
    probe = RidgeProbe(train.intensities, train.location, validate.intensities, validate.location)
    known, same = physical_pairs(train)
    return {
        "_intensities": Predictions(probe(test.intensities)),
        "_mean_position": Predictions(train.location.mean(0)),
        "_mean_distance": Predictions(distance=known.mean(), distance_within_scans=known[same].mean()),
    }
