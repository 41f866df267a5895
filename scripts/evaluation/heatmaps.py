"""Are the maps of a network of patches to be trusted? Beside those of other poolings, of Grad-CAM, and of chance."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.structures import Structures
from ..errors import some
from ..metrics.roc_auc import roc_auc
from ..progress import with_progress
from .map_judge import GRAD_CAM, RANDOM, MapJudge
from .patch_networks import PatchNetwork

__all__ = ["evaluate_heatmaps"]

logger = logging.getLogger(__name__)

KEYS = ("subject", "image", "seen", "label", "class_label")
OF_MAPS = ("pointing_game", "heatmap_auc", "deletion", "insertion")


def evaluate_heatmaps(
    loader: Iterable[Mapping],
    networks: Sequence[PatchNetwork],
    classes: Structures,
    inferer: Callable,
    device: torch.device,
    steps: int,
    seed: int,
    output_dir: str,
) -> None:
    """Write metrics.json and heatmaps.csv.

    Of each network, with its suffix: `auc` of scores, of several classes the mean of each against the rest, which are
    `auc_CLASS`; and, the mean over scans whose mask holds lesion, `pointing_game`, `heatmap_auc`, `deletion` and
    `insertion` of the map of the class that is true. These too of a map drawn at random, for the first network, and of
    Grad-CAM, for that of pooling `mean`, or where there is none for the first network's classifier, as if pooled so.

    Args:
        loader: scans, or parts of one, with `subject`, `image`, `seen`, `label` (the mask) and `class_label`.
        networks: that are compared.
        classes: in the order of their numbers.
        inferer: runs a network on the tiles of an image.
        device: where.
        steps: of deletion and insertion; 0: neither.
        seed: of random maps.
        output_dir: where the files go.
    """
    judge, rows = MapJudge(networks, inferer, device, steps, seed), list[dict]()
    for batch in with_progress(loader, "Judging maps of scan"):
        bags = [{key: batch[key][i : i + 1] for key in KEYS} for i in range(len(batch["image"]))]
        rows += [_line(bag, judge, classes.names) for bag in bags]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[row.get(name, "") for name in columns] for row in rows]
    write_csv_atomically(Path(output_dir) / "heatmaps.csv", [columns, *lines])
    metrics = _known(_summary(rows, classes.names, [one.suffix for one in networks]))
    write_json_atomically(Path(output_dir) / "metrics.json", metrics)
    logger.info(", ".join(f"{name} {value:.3g}" for name, value in metrics.items()))


def _line(scan: Mapping, judge: MapJudge, names: Sequence[str]) -> dict:
    """What heatmaps.csv says of a scan; of several classes, a score of each."""
    line = {"subject": scan["subject"][0], "label": int(scan["class_label"])}
    for name, value in judge(scan, len(names) > 2).items():
        if not isinstance(value, torch.Tensor):
            line[name] = value
        elif len(value) == 1:
            line[name] = float(value)
        else:
            line |= {
                name.replace("score", f"score_{one}", 1): float(score) for one, score in zip(names, value, strict=True)
            }
    return line


def _summary(rows: list[dict], names: Sequence[str], suffixes: Sequence[str]) -> dict[str, float]:
    labels = torch.tensor([row["label"] for row in rows])
    judged = [row for row in rows if f"pointing_game{RANDOM}" in row]
    metrics = dict[str, float]()
    for suffix in suffixes:
        metrics |= _ranking(rows, labels, names, suffix)
    for name in (f"{kind}{suffix}" for kind in OF_MAPS for suffix in (*suffixes, RANDOM, GRAD_CAM)):
        values = torch.tensor([row[name] for row in judged if name in row], dtype=torch.float64)
        if len(values):
            metrics[name] = float(values.nanmean())
    return metrics | {"scans": len(rows), "positives": len(judged), "subjects": len({row["subject"] for row in rows})}


def _known(metrics: dict[str, float]) -> dict[str, float]:
    """Metrics without those that nothing is known of."""
    if unknown := [name for name, value in metrics.items() if math.isnan(value)]:
        logger.warning(f"Left out, as an AUC needs scans, or patches, of both kinds: {some(unknown)}.")
    return {name: value for name, value in metrics.items() if name not in unknown}


def _ranking(rows: list[dict], labels: torch.Tensor, names: Sequence[str], suffix: str) -> dict[str, float]:
    """`auc`; of several classes, that of each against the rest, and their mean."""
    if len(names) == 2:
        return {f"auc{suffix}": roc_auc(torch.tensor([row[f"score{suffix}"] for row in rows]), labels)}
    each = {
        f"auc_{name}{suffix}": roc_auc(
            torch.tensor([row[f"score_{name}{suffix}"] for row in rows]), (labels == i).int()
        )
        for i, name in enumerate(names)
    }
    return {f"auc{suffix}": float(torch.tensor(list(each.values()), dtype=torch.float64).nanmean()), **each}
