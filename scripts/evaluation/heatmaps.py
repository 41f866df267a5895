"""Are the maps of a network of patches to be trusted? Beside those of other poolings, and of a map drawn at random."""

import copy
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.recorded import seen_scans
from ..data.structures import Structures
from ..errors import InputError
from ..metrics.heatmaps import localisation
from ..metrics.roc_auc import roc_auc
from ..networks.bag_scores import Bag, bag_of, in_patches
from ..networks.weights import load_encoder
from ..progress import with_progress
from ..runs.settings import check_settings
from .perturbation import perturbation

__all__ = ["PatchNetwork", "evaluate_heatmaps", "patch_networks"]

logger = logging.getLogger(__name__)

SUFFIXES = {"interactive": "_interactive", "mean": "_mean_pooling", "attention": "_attention_mil"}
RANDOM = "_random_map"
KEYS = ("subject", "image", "seen", "label", "class_label")
OF_MAPS = ("pointing_game", "heatmap_auc", "deletion", "insertion")


@dataclass(frozen=True)
class PatchNetwork:
    """A network of patches, and how it makes a score of them.

    Attributes:
        suffix: of the names of its figures.
        network: as trained.
        pooling, min_attention: as in its training.
    """

    suffix: str
    network: nn.Module
    pooling: str
    min_attention: float

    def heat(self, bag: Bag) -> torch.Tensor:
        """Of each patch, [px, py, pz]: its contribution; of the mean, its probability; of attention, its weight."""
        return {"interactive": bag.contribution[0], "mean": bag.local[0], "attention": bag.attention}[self.pooling]


def patch_networks(
    network: nn.Module,
    pooling: str,
    min_attention: float,
    baselines: Sequence[str],
    scans: list[dict],
    keys: Sequence[str],
) -> list[PatchNetwork]:
    """A network and those that it is compared with.

    Args:
        network: with its weights.
        pooling, min_attention: as in its training.
        baselines: folders of trainings of other poolings.
        scans: that they are compared on.
        keys: of settings that all have to share.

    Raises:
        InputError: one is no such folder, its settings are others, two have one pooling, or one has been trained on
            some of these scans.
    """
    found = [PatchNetwork("", network, pooling, min_attention)]
    for run in map(Path, baselines):
        weights, path = run / "models" / "model.pt", run / "models" / "config.json"
        if not path.is_file():
            raise InputError(f"There is no {path}: give baselines the output_dir of trainings of other poolings.")
        check_settings(path.parent, keys)
        trained = json.loads(path.read_text(encoding="utf-8"))
        if any(seen_scans(scans, path.parent / "split.json")):
            raise InputError(f"{run} was trained on some of these subjects: train it with the same fold and seed.")
        suffix = SUFFIXES[trained["pooling"]]
        if suffix in [one.suffix for one in found] or trained["pooling"] == pooling:
            raise InputError(f"{run} is a second one of pooling {trained['pooling']}: give one of each.")
        other = load_encoder(copy.deepcopy(network), weights)
        found.append(PatchNetwork(suffix, other, trained["pooling"], trained["min_attention"]))
    return found


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

    Of each network, with its suffix: `auc` of scores; and, the mean over scans with a lesion, `pointing_game`,
    `heatmap_auc`, `deletion` and `insertion`, and these of a map drawn at random for the first network.

    Args:
        loader: scans, or parts of one, with `subject`, `image`, `seen`, `label` (the mask) and `class_label`.
        networks: that are compared.
        classes: two.
        inferer: runs a network on the tiles of an image.
        device: where.
        steps: of deletion and insertion; 0: neither.
        seed: of random maps.
        output_dir: where the files go.

    Raises:
        InputError: there are other classes than two.
    """
    if len(classes.names) != 2:
        raise InputError(f"Maps are compared with masks of one lesion, and these weights tell {list(classes.names)}.")
    random, rows = torch.Generator().manual_seed(seed), list[dict]()
    for batch in with_progress(loader, "Judging maps of scan"):
        bags = [{key: batch[key][i : i + 1] for key in KEYS} for i in range(len(batch["image"]))]
        rows += [_judged(bag, networks, inferer, device, steps, random) for bag in bags]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[row.get(name, "") for name in columns] for row in rows]
    write_csv_atomically(Path(output_dir) / "heatmaps.csv", [columns, *lines])
    metrics = _summary(rows, [one.suffix for one in networks])
    write_json_atomically(Path(output_dir) / "metrics.json", metrics)
    logger.info(", ".join(f"{name} {value:.3g}" for name, value in metrics.items()))


def _judged(
    scan: Mapping,
    networks: Sequence[PatchNetwork],
    inferer: Callable,
    device: torch.device,
    steps: int,
    random: torch.Generator,
) -> dict:
    """What a line says of a scan; of one without a lesion, its scores alone."""
    image, label = torch.as_tensor(scan["image"]), int(scan["class_label"])
    row = {"subject": scan["subject"][0], "label": label}
    for one in networks:

        def bag(of: torch.Tensor, one: PatchNetwork = one) -> Bag:
            with torch.no_grad():
                logits = inferer(of.to(device), one.network.eval())[0].cpu()
            seen = in_patches(torch.as_tensor(scan["seen"]), logits.shape[1:])[0]
            return bag_of(logits, seen, one.pooling, one.min_attention)

        found = bag(image)
        row[f"score{one.suffix}"] = float(found.score[0])
        if not label:
            continue
        maps = {one.suffix: one.heat(found)}
        if one is networks[0]:
            maps[RANDOM] = torch.rand(found.attention.shape, generator=random)
        seen, marked = (in_patches(torch.as_tensor(scan[key]), found.attention.shape)[0] for key in ("seen", "label"))
        for suffix, heat in maps.items():
            said = localisation(heat, marked, seen)
            if steps:
                said |= perturbation(image, heat, seen, lambda changed: float(bag(changed).score[0]), steps)
            row |= {f"{name}{suffix}": value for name, value in said.items()}
    return row


def _summary(rows: list[dict], suffixes: Sequence[str]) -> dict[str, float]:
    labels = torch.tensor([row["label"] for row in rows])
    ill = [row for row in rows if row["label"]]
    metrics = {
        f"auc{suffix}": roc_auc(torch.tensor([row[f"score{suffix}"] for row in rows]), labels) for suffix in suffixes
    }
    for name in (f"{kind}{suffix}" for kind in OF_MAPS for suffix in (*suffixes, RANDOM)):
        values = torch.tensor([row[name] for row in ill if name in row], dtype=torch.float64)
        if len(values):
            metrics[name] = float(values.nanmean())
    return metrics | {"scans": len(rows), "positives": len(ill), "subjects": len({row["subject"] for row in rows})}
