"""What an encoder is worth, on subjects that it never saw, beside what it must beat."""

import copy
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool3d

from ..atomic import savez_atomically, write_json_atomically
from ..metrics.collapse import collapse, embedding_std
from ..metrics.location import Crops
from ..metrics.rankme import rankme
from ..metrics.subject_bootstrap import SubjectBootstrap
from ..networks.weights import fingerprint, load_encoder
from ..probes.principal_components import PrincipalComponents
from ..progress import with_progress
from .drawn_metrics import draw_metrics, metrics_of_draws, write_draws
from .predictions import baseline_predictions, encoder_predictions
from .summary import summarise

__all__ = ["embed", "evaluate_encoder"]

logger = logging.getLogger(__name__)

# what crops of each part are for
USES = {"train": "training subjects, which fit probes", "validate": "validation subjects", "test": "test subjects"}


def evaluate_encoder(
    network: nn.Module,
    encoder: str,
    loaders: Mapping[str, Iterable],
    run: Callable,
    split: Mapping[str, list[dict]],
    output_dir: str,
) -> None:
    """Measure an encoder and its baselines.

    Writes metrics.json, with 95 % intervals of the metrics and of what baselines differ by; draws.npz, with the metrics
    in each draw of the test subjects that these are of; embeddings.npz, of the test crops; and basis.npz, the principal
    components of the training crops.

    Args:
        network: as yet untrained; the encoder is loaded into it, and a copy stays untrained for comparison.
        encoder: path of the weights.
        loaders: of the crops of the subjects under `train`, `validate` and `test`.
        run: runs a network on a batch of crops, as `BatchInferer` does.
        split: the items of these parts, for their subjects.
        output_dir: where the files go.

    Raises:
        InputError: the weights are not there or not this network's.
    """
    untrained = copy.deepcopy(network)
    load_encoder(network, encoder)
    ours, theirs = _embed_parts([network, untrained], loaders, run, split)
    fault = collapse(ours["test"].embedding)
    if fault:
        logger.warning(f"The encoder has collapsed: {fault}.")
    test, subjects = ours["test"], _subjects(ours["test"], split["test"])
    logger.info(
        f"Fitting probes to {len(ours['train'].scan)} crops, and drawing from {len(set(subjects))} test subjects"
    )
    said = {"": encoder_predictions(**ours), "_random_encoder": encoder_predictions(**theirs)}
    said |= baseline_predictions(**ours)
    draws = SubjectBootstrap(subjects)
    drawn = draw_metrics(said, test, draws)
    metrics = metrics_of_draws(drawn, draws) | _spread(test, "") | _spread(theirs["test"], "_random_encoder")
    metrics |= _numbers(split) | {"crops": len(subjects), "encoder": str(encoder)}

    folder, basis = Path(output_dir), PrincipalComponents(ours["train"].embedding, encoder=fingerprint(network))
    arrays = vars(test) | {"embedding_random_encoder": theirs["test"].embedding, "components": basis(test.embedding)}
    arrays |= {f"predicted_{key}": getattr(said[""], key) for key in ("location", "location_of_components")}
    arrays = {name: array.numpy() for name, array in arrays.items()} | {"subject": subjects}
    basis.save(folder / "basis.npz")
    savez_atomically(folder / "embeddings.npz", **arrays)
    write_draws(folder / "draws.npz", drawn)
    write_json_atomically(folder / "metrics.json", metrics)
    summarise(metrics)


def embed(networks: list[nn.Module], loader: Iterable, run: Callable) -> list[Crops]:
    """Embed all crops of a loader with each of some networks."""
    parts: list[list] = [[] for _ in networks]
    for batch in with_progress(loader, "Embedding batch"):
        shared = [batch["location"], batch["scan"], adaptive_avg_pool3d(batch["image"], 8).flatten(1)]
        for network, part in zip(networks, parts, strict=True):
            part.append([run(batch, network), *shared])
    return [Crops(*map(torch.cat, zip(*part, strict=True))) for part in parts]


def _embed_parts(networks, loaders, run, split) -> list[dict[str, Crops]]:
    """Crops of all parts, as each of the networks sees them."""
    crops = {}
    for part, whose in USES.items():
        logger.info(f"Embedding crops of {len(split[part])} scans of {whose}")
        crops[part] = embed(networks, loaders[part], run)
    return [{part: seen[i] for part, seen in crops.items()} for i in range(len(networks))]


def _subjects(crops: Crops, scans: list[dict]) -> np.ndarray:
    """Of each crop, [N]."""
    subject = {scan["scan"]: scan["subject"] for scan in scans}
    return np.array([subject[int(number)] for number in crops.scan])


def _spread(crops: Crops, ending: str) -> dict[str, float]:
    """Of the embeddings of all crops together, which have no interval."""
    found = {"rankme": rankme(crops.embedding), "embedding_std": embedding_std(crops.embedding)}
    return {key + ending: value for key, value in found.items()}


def _numbers(split: Mapping[str, list[dict]]) -> dict:
    """Of subjects and scans, tested and of each part."""
    parts = {
        part: {"subjects": len({scan["subject"] for scan in scans}), "scans": len(scans)}
        for part, scans in split.items()
    }
    return parts["test"] | {"parts": parts}
