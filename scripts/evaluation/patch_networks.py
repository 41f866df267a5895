"""Networks of patches whose scores and maps are compared."""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ..data.recorded import seen_scans
from ..errors import InputError
from ..networks.bag_scores import Bag
from ..networks.weights import load_encoder
from ..runs.settings import check_settings

__all__ = ["PatchNetwork", "patch_networks"]

SUFFIXES = {"interactive": "_interactive", "mean": "_mean_pooling", "attention": "_attention_mil"}


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

    def heat(self, bag: Bag, row: int = 0) -> torch.Tensor:
        """Of each patch, [px, py, pz]: its contribution; of the mean, its probability; of attention, its weight.

        Args:
            bag: of an image.
            row: of its logits of classes.
        """
        maps = {"interactive": bag.contribution[row], "mean": bag.local[row], "attention": bag.attention}
        return maps[self.pooling]


def patch_networks(
    network: nn.Module,
    pooling: str,
    min_attention: float,
    baselines: Sequence[str],
    scans: list[dict],
    known_by: str,
    keys: Sequence[str],
) -> list[PatchNetwork]:
    """A network and those that it is compared with.

    Args:
        network: with its weights.
        pooling, min_attention: as in its training.
        baselines: folders of trainings of other poolings.
        scans: that they are compared on.
        known_by: how a subject of their training is known, as for `known_parts`.
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
        if any(seen_scans(scans, path.parent / "split.json", known_by)):
            raise InputError(f"{run} was trained on some of these subjects: train it with the same fold and seed.")
        suffix = SUFFIXES[trained["pooling"]]
        if suffix in [one.suffix for one in found] or trained["pooling"] == pooling:
            raise InputError(f"{run} is a second one of pooling {trained['pooling']}: give one of each.")
        other = load_encoder(copy.deepcopy(network), weights)
        found.append(PatchNetwork(suffix, other, trained["pooling"], trained["min_attention"]))
    return found
