"""What an encoder is worth, on subjects that it never saw, beside what it must beat."""

import copy
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool3d

from ..atomic import savez_atomically, write_json_atomically
from ..metrics.collapse import collapse, embedding_std
from ..metrics.location import Crops, distance_error, distance_pairs, location_error, r2_score
from ..metrics.rankme import rankme
from ..networks.weights import fingerprint, load_encoder
from ..probes.principal_components import PrincipalComponents
from ..probes.ridge import RidgeProbe

__all__ = ["baseline_metrics", "embed", "encoder_metrics", "evaluate_encoder"]

logger = logging.getLogger(__name__)


def evaluate_encoder(
    network: nn.Module,
    encoder: str,
    loaders: Mapping[str, Iterable],
    run: Callable,
    scans: list[dict],
    output_dir: str,
) -> None:
    """Measure an encoder and its baselines; write metrics.json, embeddings.npz and basis.npz (principal components).

    Args:
        network: as yet untrained; the encoder is loaded into it, and a copy stays untrained for comparison.
        encoder: path of the weights.
        loaders: of the crops of the subjects under `train`, `validate` and `test`.
        run: runs a network on a batch of crops, as `BatchInferer` does.
        scans: the items under `test`, for their number and that of their subjects.
        output_dir: where the files go.

    Raises:
        InputError: the weights are not there or not this network's.
    """
    untrained = copy.deepcopy(network)
    load_encoder(network, encoder)
    crops = {part: embed([network, untrained], loader, run) for part, loader in loaders.items()}
    fault = collapse(crops["test"][0].embedding)
    if fault:
        logger.warning(f"The encoder has collapsed: {fault}.")
    ours, theirs = ({part: pair[i] for part, pair in crops.items()} for i in (0, 1))
    baselines = {f"{name}_random_encoder": value for name, value in encoder_metrics(**theirs).items()}
    metrics = encoder_metrics(**ours) | baselines | baseline_metrics(**ours)
    test = ours["test"]
    metrics |= {"subjects": len({scan["subject"] for scan in scans}), "scans": len(scans), "crops": len(test.scan)}
    metrics["encoder"] = str(encoder)

    folder = Path(output_dir)
    basis = PrincipalComponents(ours["train"].embedding, encoder=fingerprint(network))
    basis.save(folder / "basis.npz")
    arrays = vars(test) | {"embedding_random_encoder": theirs["test"].embedding, "components": basis(test.embedding)}
    savez_atomically(folder / "embeddings.npz", **{name: array.numpy() for name, array in arrays.items()})
    write_json_atomically(folder / "metrics.json", metrics)
    logger.info(_summary(metrics))


def embed(networks: list[nn.Module], loader: Iterable, run: Callable) -> list[Crops]:
    """Embed all crops of a loader with each of some networks."""
    parts: list[list] = [[] for _ in networks]
    for batch in loader:
        shared = [batch["location"], batch["scan"], adaptive_avg_pool3d(batch["image"], 8).flatten(1)]
        for network, part in zip(networks, parts, strict=True):
            part.append([run(batch, network), *shared])
    return [Crops(*map(torch.cat, zip(*part, strict=True))) for part in parts]


def encoder_metrics(train: Crops, validate: Crops, test: Crops) -> dict:
    """Figures of an encoder on test crops; what is fitted is fitted on training crops.

    Args:
        train: crops of training subjects, for the probe and the principal components.
        validate: crops of validation subjects, to choose the probe's penalty.
        test: crops of subjects that neither the encoder nor the probe has seen.

    Returns:
        Names as in metrics.json. Errors are means in mm: of the Euclidean distance to the true place; `_axes`: of the
        absolute difference in x, y and z; `distance_error_mm`: of |D_latent - D_physical| over all pairs, of which
        `distance_correlation` is Pearson's.
    """
    prediction = RidgeProbe(train.embedding, train.location, validate.embedding, validate.location)(test.embedding)
    basis = PrincipalComponents(train.embedding)
    train_scores, validate_scores, test_scores = (basis(crops.embedding) for crops in (train, validate, test))
    from_scores = RidgeProbe(train_scores, train.location, validate_scores, validate.location)(test_scores)
    latent, physical, same = distance_pairs(test)
    return {
        "location_error_mm": location_error(prediction, test.location),
        "location_error_mm_axes": (prediction - test.location).abs().mean(0).tolist(),
        "location_r2": r2_score(prediction, test.location).tolist(),
        "pca3_location_r2": r2_score(from_scores, test.location).tolist(),
        "distance_error_mm": distance_error(latent, physical),
        "distance_error_mm_within_scans": distance_error(latent[same], physical[same]),
        "distance_correlation": float(torch.corrcoef(torch.stack([latent, physical]).double())[0, 1]),
        "rankme": rankme(test.embedding),
        "embedding_std": embedding_std(test.embedding),
    }


def baseline_metrics(train: Crops, validate: Crops, test: Crops) -> dict:
    """Errors in mm without any encoder: from raw intensities, the mean position, and the mean distance."""
    probe = RidgeProbe(train.intensities, train.location, validate.intensities, validate.location)
    (_, known, same_known), (_, physical, same) = distance_pairs(train), distance_pairs(test)
    return {
        "location_error_mm_intensities": location_error(probe(test.intensities), test.location),
        "location_error_mm_mean_position": location_error(train.location.mean(0), test.location),
        "distance_error_mm_mean_distance": distance_error(known.mean(), physical),
        "distance_error_mm_within_scans_mean_distance": distance_error(known[same_known].mean(), physical[same]),
    }


def _summary(metrics: dict) -> str:
    return (
        f"{metrics['crops']} crops of {metrics['subjects']} test subjects: location error "
        f"{metrics['location_error_mm']:.1f} mm (untrained encoder {metrics['location_error_mm_random_encoder']:.1f}, "
        f"raw intensities {metrics['location_error_mm_intensities']:.1f}, mean position "
        f"{metrics['location_error_mm_mean_position']:.1f}), distance error {metrics['distance_error_mm']:.1f} mm "
        f"(untrained {metrics['distance_error_mm_random_encoder']:.1f}, mean distance "
        f"{metrics['distance_error_mm_mean_distance']:.1f})."
    )
