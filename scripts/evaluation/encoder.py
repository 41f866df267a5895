"""What an encoder is worth, on subjects that it never saw, beside what it must beat."""

import copy
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..atomic import savez_atomically, write_json_atomically
from ..metrics.collapse import collapse, embedding_std
from ..metrics.location import Crops
from ..metrics.rankme import rankme
from ..metrics.subject_bootstrap import SubjectBootstrap
from ..networks.layer_sets import layer_set
from ..networks.weights import fingerprint, load_encoder
from ..probes.principal_components import PrincipalComponents
from .drawn_metrics import draw_metrics, join_metrics, metrics_of_draws, write_draws
from .embedding import embed
from .layer_figures import layer_figures
from .person_retrieval import PersonRetrieval
from .predictions import Predictions, baseline_predictions, encoder_predictions
from .pretext import measure_pretext
from .pretext_heads import trained_head
from .pretext_task import PretextTask
from .share_results import join_shares, write_shares
from .structure_shares import LabelledCrops, StructureShares, measure_shares
from .summary import summarise

__all__ = ["evaluate_encoder"]

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
    layer_sets: Mapping[str, list[str]] | None = None,
    shares: StructureShares | None = None,
    pretext: PretextTask | None = None,
    retrieval: PersonRetrieval | None = None,
) -> None:
    """Measure an encoder and its baselines.

    Writes metrics.json, with 95 % intervals of the metrics and of what baselines differ by; draws.npz, with the metrics
    in each draw of the test subjects that these are of; embeddings.npz, of the test crops; basis.npz, the principal
    components of the training crops; and, where scans have label maps, structure_shares.csv.

    Args:
        network: as yet untrained; the encoder is loaded into it, and a copy stays untrained for comparison.
        encoder: path of the weights.
        loaders: of the crops of the subjects under `train`, `validate` and `test`.
        run: runs a network on a batch of crops, as `BatchInferer` does.
        split: the items of these parts, for their subjects.
        output_dir: where the files go.
        layer_sets: names of layers, `NAME:POOLING` each, by that of their set; what each set knows is measured too.
        shares: how structure shares are measured, where crops have them.
        pretext: the task that the encoder was trained by, where that is one with answers. It is measured last, when all
            else is written, and only where the head.pt of its training lies beside the encoder.
        retrieval: how persons are found by tables, likewise only with that head.

    Raises:
        InputError: the weights are not there or not this network's, nor those in head.pt the task's, or it has no such
            layers.
    """
    untrained, layer_sets, folder = copy.deepcopy(network), layer_sets or {}, Path(output_dir)
    if shares is not None and shares.structures.names:
        layer_set(layer_sets, shares.layers)  # or it says that there is none
    load_encoder(network, encoder)
    head = None if pretext is None else trained_head(pretext.loss, encoder)
    trained = None if retrieval is None else retrieval.trained(encoder)
    ours, theirs = _embed_parts([network, untrained], loaders, run, split, layer_sets)
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
    metrics["layers"] = layer_figures(ours, theirs, layer_sets, draws)
    if shares is not None and "structure_shares" in test.known:
        found = measure_shares(_labelled(ours, split), _labelled(theirs, split), layer_sets, shares)
        metrics = join_shares(metrics, found)
        write_shares(folder / "structure_shares.csv", found)
    else:
        _remove_shares(folder)
    if trained is not None:
        metrics, drawn = _with_more(metrics, drawn, trained.measure(ours, theirs, split))

    basis = PrincipalComponents(ours["train"].embedding, encoder=fingerprint(network))
    basis.save(folder / "basis.npz")
    more = {"embedding_random_encoder": theirs["test"].embedding, "components": basis(test.embedding)}
    arrays = {name: array.numpy() for name, array in (_arrays(test, said[""]) | more).items()}
    savez_atomically(folder / "embeddings.npz", **arrays, subject=subjects)
    _write_metrics(folder, metrics, drawn)
    if pretext is not None and head is not None and (asked := pretext.split(split)) is not None:
        metrics, drawn = _with_more(metrics, drawn, measure_pretext(pretext, network, untrained, head, asked))
        _write_metrics(folder, metrics, drawn)
    summarise(metrics)


def _with_more(metrics: dict, drawn: dict, more: tuple[dict, dict]) -> tuple[dict, dict]:
    """Metrics and their draws, with those of another kind."""
    found, of_found = more
    joined = {ending: drawn.get(ending, {}) | of_found.get(ending, {}) for ending in drawn | of_found}
    return join_metrics(metrics, found), joined


def _write_metrics(folder: Path, metrics: dict, drawn: dict[str, dict[str, torch.Tensor]]) -> None:
    write_draws(folder / "draws.npz", drawn)
    write_json_atomically(folder / "metrics.json", metrics)


def _remove_shares(folder: Path) -> None:
    """Those of an evaluation before, whose scans had label maps."""
    for path in (folder / "structure_shares.csv", *folder.glob("figures/structure_shares.*")):
        path.unlink(missing_ok=True)


def _arrays(test: Crops, said: Predictions) -> dict[str, torch.Tensor]:
    """Of the test crops, for figures."""
    arrays = {name: getattr(test, name) for name in ("embedding", "location", "scan", "intensities")}
    return arrays | {f"predicted_{key}": getattr(said, key) for key in ("location", "location_of_components")}


def _embed_parts(networks, loaders, run, split, layer_sets) -> list[dict[str, Crops]]:
    """Crops of all parts, as each of the networks sees them."""
    layers, crops = list(dict.fromkeys(layer for layers in layer_sets.values() for layer in layers)), {}
    for part, whose in USES.items():
        logger.info(f"Embedding crops of {len(split[part])} scans of {whose}")
        crops[part] = embed(networks, loaders[part], run, layers)
    return [{part: seen[i] for part, seen in crops.items()} for i in range(len(networks))]


def _subjects(crops: Crops, scans: list[dict]) -> np.ndarray:
    """Of each crop, [N]."""
    subject = {scan["scan"]: scan["subject"] for scan in scans}
    return np.array([subject[int(number)] for number in crops.scan])


def _labelled(parts: Mapping[str, Crops], split: Mapping[str, list[dict]]) -> dict[str, LabelledCrops]:
    """Crops that fit and test predictions of structure shares."""
    return {part: LabelledCrops.of(parts[part], _subjects(parts[part], split[part])) for part in ("train", "test")}


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
