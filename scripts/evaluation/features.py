"""What classifiers are fitted to: embeddings of crops by a frozen encoder, and their baselines."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..errors import InputError
from ..networks.transfer import SCRATCH, UNTRAINED
from ..networks.weights import load_encoder

__all__ = ["Features", "FrozenEncoder", "crop_features"]


@dataclass(frozen=True)
class Features:
    """Features of N crops.

    Attributes:
        values: by name, the encoder's first and then its baselines', [N, D].
        class_label: 0 or 1, [N].
        subject: [N].
    """

    values: dict[str, torch.Tensor]
    class_label: torch.Tensor
    subject: np.ndarray


class FrozenEncoder:
    """Embeds crops; nothing of it is trained.

    Args:
        name: of the encoder in tables.
        network: the weights are loaded into it.
        encoder: path of the weights; `untrained` leaves the network as it is.
        run: runs the network on a batch of crops, as `BatchInferer` does.

    Raises:
        InputError: the weights are not the network's, or `encoder` asks for a training.
    """

    def __init__(self, name: str, network: nn.Module, encoder: str, run: Callable) -> None:
        if encoder == SCRATCH:
            raise InputError(
                "A linear probe trains nothing of the encoder: give train.json for scratch, or encoder untrained."
            )
        if encoder != UNTRAINED:
            load_encoder(network, encoder)
        self.name, self.network, self.run = name, network, run

    def __call__(self, batch: Mapping) -> torch.Tensor:
        """Embeddings [B, D] of a batch of B crops."""
        return self.run(batch, self.network)


def crop_features(
    loader: Iterable, scans: list[dict], baselines: list[str], encoder: FrozenEncoder | None = None
) -> Features:
    """Embed crops, and collect what is known of them without an encoder.

    Args:
        loader: of crops of all scans, with what the encoder takes, `scan`, `class_label` and the baselines.
        scans: their items, for the subject of each.
        baselines: names of features that crops bring with them.
        encoder: None for its baselines alone.

    Raises:
        InputError: the encoder is called as a baseline is.
    """
    if encoder and encoder.name in baselines:
        raise InputError(f"An encoder cannot be called {encoder.name}, as a baseline is: give it another name.")
    parts = []
    for batch in loader:
        known = {encoder.name: encoder(batch)} if encoder else {}
        known |= {baseline: batch[baseline] for baseline in baselines}
        parts.append(known | {"class_label": batch["class_label"].flatten(), "scan": batch["scan"]})
    joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    class_label, scan = joined.pop("class_label"), joined.pop("scan")
    subject = {item["scan"]: item["subject"] for item in scans}
    return Features(joined, class_label, np.array([subject[int(number)] for number in scan]))
