"""What classifiers are fitted to: embeddings of crops by a frozen encoder, and their baselines."""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from ..errors import InputError
from ..networks.layer_sets import layer_set
from ..networks.layers import layer_features
from ..networks.transfer import SCRATCH, UNTRAINED
from ..networks.weights import load_encoder

__all__ = ["Features", "FrozenEncoder", "crop_features"]


@dataclass(frozen=True)
class Features:
    """Features of N crops.

    Attributes:
        values: by name, the encoder's first and then its baselines', [N, D].
        class_label: 0 or 1, or the number of one of more classes, [N].
        subject: [N].
        lesion_ml: how much lesion a crop holds, [N]; None where that is not known.
        layers: by the name of the values, that of the set of layers that they are of, if they are of any.
    """

    values: dict[str, torch.Tensor]
    class_label: torch.Tensor
    subject: np.ndarray
    lesion_ml: torch.Tensor | None = None
    layers: Mapping[str, str] = field(default_factory=dict)


class FrozenEncoder:
    """Features of crops; nothing of the encoder is trained.

    Args:
        name: of the encoder in tables.
        network: the weights are loaded into it, all of them.
        encoder: path of the weights; `untrained` leaves the network as it is.
        run: runs the network on a batch of crops, as `BatchInferer` does.
        layer_sets: layers of the network, by the name of their set.
        layers: name of the set whose features are taken; where there is none, the network's output is.

    Raises:
        InputError: the weights are not the network's, it has no such layers, or `encoder` asks for a training.

    Attributes:
        untrained: the same of the network as it was drawn; None of an encoder that is that itself.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        encoder: str,
        run: Callable,
        layer_sets: Mapping[str, list[str]] | None = None,
        layers: str = "",
    ) -> None:
        if encoder == SCRATCH:
            raise InputError(
                "Nothing of an encoder is trained here: give train.json for scratch, or encoder untrained."
            )
        self.untrained: FrozenEncoder | None = None
        if encoder != UNTRAINED:
            drawn = copy.deepcopy(network)
            self.untrained = FrozenEncoder(UNTRAINED, drawn, UNTRAINED, run, layer_sets, layers)
            load_encoder(network, encoder)
        chosen = layer_set(layer_sets or {}, layers) if layers else []
        self.network = layer_features(network, chosen) if chosen else network
        self.name, self.run, self.layers = name, run, layers

    def __call__(self, batch: Mapping) -> torch.Tensor:
        """Features [B, D] of a batch of B crops."""
        return self.run(batch, self.network)


def crop_features(
    loader: Iterable,
    scans: list[dict],
    baselines: list[str],
    encoder: FrozenEncoder | None = None,
    untrained: FrozenEncoder | None = None,
) -> Features:
    """Embed crops, and collect what is known of them without an encoder.

    Args:
        loader: of crops of all scans, with what the encoder takes, `scan`, `class_label`, the baselines and, where
            masks say it, `lesion_ml`.
        scans: their items, for the subject of each.
        baselines: names of features that crops bring with them.
        encoder: None for its baselines alone.
        untrained: the encoder's own, a baseline as well.

    Raises:
        InputError: the encoder is called as a baseline is.
    """
    encoders = [one for one in (encoder, untrained) if one]
    names = [*(one.name for one in encoders), *baselines]
    if encoder and encoder.name in names[1:]:
        raise InputError(f"An encoder cannot be called {encoder.name}, as a baseline is: give it another name.")
    parts = [{one.name: one(batch) for one in encoders} | _known(batch, baselines) for batch in loader]
    joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    subject = {item["scan"]: item["subject"] for item in scans}
    return Features(
        {name: joined[name] for name in names},
        joined["class_label"].flatten(),
        np.array([subject[int(number)] for number in joined["scan"]]),
        joined["lesion_ml"].flatten() if "lesion_ml" in joined else None,
        {one.name: one.layers for one in encoders if one.layers},
    )


def _known(batch: Mapping, baselines: list[str]) -> dict[str, torch.Tensor]:
    return {key: batch[key] for key in (*baselines, "class_label", "scan", "lesion_ml") if key in batch}
