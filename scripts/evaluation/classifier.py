"""What a classifier says of crops of subjects that it never saw."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from torch import nn

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.folds import SubjectFolds
from ..distributed import rank, wait
from ..errors import InputError
from ..metrics.operating_point import best_threshold
from ..networks.weights import load_encoder
from ..probes.logistic import require_sklearn
from .cross_validation import Probes, fold_metrics
from .features import Features

__all__ = ["score_baselines", "score_classifier"]

logger = logging.getLogger(__name__)


def score_classifier(
    network: nn.Module,
    weights: str,
    loaders: Mapping[str, Iterable],
    run: Callable,
    output_dir: str,
) -> None:
    """Write scores.csv (scan, label, score of each test crop) and metrics.json; the first process alone does.

    metrics.json has auc, average_precision, the numbers of crops, and sensitivity and specificity at `threshold` (a
    probability; `threshold_logit` is its logit, as the scores are), which is chosen on the validation crops.

    Args:
        network: the weights are loaded into it.
        weights: path of the classifier's.
        loaders: of crops under `validate` and `test`, with what the network takes, `scan` and `class_label`.
        run: runs the network on a batch of crops, as `BatchInferer` does.
        output_dir: where the files go.
    """
    wait()  # for the process that writes the weights
    network = load_encoder(network, weights)
    scored = {part: _score(network, loaders[part], run) for part in ("validate", "test")}
    threshold = best_threshold(*scored["validate"][:2])
    scores, label, scan = scored["test"]
    metrics = fold_metrics(scores, label, threshold)
    metrics |= {"threshold": float(torch.sigmoid(torch.tensor(threshold))), "threshold_logit": threshold}
    metrics |= {"positives": int(label.sum()), "negatives": int((1 - label).sum())}
    if rank() > 0:
        return
    rows = zip(scan.tolist(), label.int().tolist(), scores.tolist(), strict=True)
    write_csv_atomically(Path(output_dir) / "scores.csv", [["scan", "label", "score"], *rows])
    _write(metrics, Path(output_dir))


def score_baselines(features: Features, folds: SubjectFolds, fold: int, share: float, output_dir: str) -> None:
    """Add auc_NAME of each baseline to metrics.json, on the same test crops; a warning where scikit-learn is missing.

    Args:
        features: of the baselines; those of an encoder's layers, if there are some beside, are left out.
        folds, fold, share: as those of the classifier beside them.
        output_dir: where metrics.json is.
    """
    baselines = [name for name in features.values if name not in features.layers]
    names = [f"auc_{name}" for name in baselines]
    try:
        require_sklearn()
    except InputError as error:  # the classifier itself is measured without
        logger.warning(f"Not measured: {', '.join(names)}. {error}")
        return
    label = features.class_label[folds.rows(features.subject, fold)["test"]]
    scores = [Probes(features, folds, name)(fold, share)[0] for name in baselines]
    aucs = {name: fold_metrics(values, label, 0)["auc"] for name, values in zip(names, scores, strict=True)}
    _write(json.loads((Path(output_dir) / "metrics.json").read_text(encoding="utf-8")) | aucs, Path(output_dir))


def _write(metrics: dict[str, float], folder: Path) -> None:
    write_json_atomically(folder / "metrics.json", metrics)
    logger.info("Test crops: " + ", ".join(f"{name} {value:.3g}" for name, value in metrics.items()))


def _score(network, loader, run) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, class labels and numbers of scans, [N] each."""
    parts = [(run(batch, network).flatten(), batch["class_label"].flatten(), batch["scan"]) for batch in loader]
    logits, class_labels, scans = (torch.cat(part) for part in zip(*parts, strict=True))
    return logits, class_labels, scans
