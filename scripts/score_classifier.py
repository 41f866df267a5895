"""What a classifier says of crops of subjects that it never saw."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from torch import nn

from .atomic import write_atomically, write_csv_atomically
from .checkpoint import load_encoder
from .cross_validation import fold_metrics
from .distributed import rank, wait
from .operating_point import best_threshold

__all__ = ["score_classifier"]

logger = logging.getLogger(__name__)


@torch.no_grad()
def score_classifier(
    network: nn.Module,
    weights: str,
    loaders: Mapping[str, Iterable],
    inferer: Callable,
    device: torch.device,
    output_dir: str,
    rivals: Mapping[str, Callable] | None = None,
    fold: int = 0,
) -> None:
    """Write scores.csv (scan, label, score of each test crop) and metrics.json; the first process alone does.

    metrics.json has auc, average_precision, sensitivity and specificity at `threshold`, which is chosen on the
    validation crops, the numbers of crops, and auc_RIVAL of each rival.

    Args:
        network: the weights are loaded into it.
        weights: path of the classifier's.
        loaders: of crops under `validate` and `test`, with `image`, `scan` and `label`.
        inferer: runs the network on crops.
        device: where to.
        output_dir: where the files go.
        rivals: classifiers of the same crops that know less, as in `cross_validate`.
        fold: whose test crops these are.
    """
    wait()  # for the process that writes the weights
    network = load_encoder(network.to(device), weights).eval()
    scored = {part: _score(network, loaders[part], inferer, device) for part in ("validate", "test")}
    threshold = best_threshold(*scored["validate"][:2])
    scores, label, scan = scored["test"]
    metrics = fold_metrics(scores, label, threshold) | {"threshold": threshold}
    metrics |= {"positives": int(label.sum()), "negatives": int((1 - label).sum())}
    for name, rival in (rivals or {}).items():
        metrics[f"auc_{name}"] = fold_metrics(rival(fold, 1.0)[0], label, 0)["auc"]
    if rank() > 0:
        return
    rows = zip(scan.tolist(), label.int().tolist(), scores.tolist(), strict=True)
    write_csv_atomically(Path(output_dir) / "scores.csv", [["scan", "label", "score"], *rows])
    text = json.dumps(metrics, indent=4)
    write_atomically(Path(output_dir) / "metrics.json", lambda file: file.write_text(text))
    logger.info(f"{len(label)} test crops: " + ", ".join(f"{name} {value:.3g}" for name, value in metrics.items()))


def _score(network, loader, inferer, device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, labels and numbers of scans, [N] each."""
    parts = [
        (inferer(batch["image"].to(device), network).cpu().flatten(), batch["label"].flatten(), batch["scan"])
        for batch in loader
    ]
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))
