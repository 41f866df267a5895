"""What classifiers are fitted to: embeddings of crops by a frozen encoder, or bags of them, and their baselines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..errors import InputError
from ..networks.transfer import SCRATCH, UNTRAINED
from ..networks.weights import load_encoder

__all__ = ["Features", "FrozenEncoder", "bags_of_subjects", "crop_features"]


@dataclass(frozen=True)
class Features:
    """Features of N crops, or of N subjects.

    Attributes:
        values: by name, the encoder's first and then its baselines': [N, D] of crops; [N, n, D] of subjects with up to
            n crops, nan beyond.
        label: 0 or 1, [N].
        subject: [N].
    """

    values: dict[str, torch.Tensor]
    label: torch.Tensor
    subject: np.ndarray


class FrozenEncoder:
    """Embeds crops; nothing of it is trained.

    Args:
        name: of the encoder in tables.
        network: the weights are loaded into it.
        encoder: path of the weights; `untrained` leaves the network as it is.
        inferer: runs the network on crops.
        device: where to.

    Raises:
        InputError: the weights are not the network's, or `encoder` asks for a training.
    """

    def __init__(self, name: str, network: nn.Module, encoder: str, inferer: Callable, device: torch.device) -> None:
        if encoder == SCRATCH:
            raise InputError(
                "A linear probe trains nothing of the encoder: give train.json for scratch, or encoder untrained."
            )
        if encoder != UNTRAINED:
            load_encoder(network, encoder)
        self.name, self.network, self.inferer, self.device = name, network.eval(), inferer, device

    @torch.no_grad()
    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Embeddings [B, D] of crops [B, C, X, Y, Z]."""
        return self.inferer(image.to(self.device), self.network).cpu()


def crop_features(
    loader: Iterable, scans: list[dict], baselines: list[str], encoder: FrozenEncoder | None = None
) -> Features:
    """Embed crops, and collect what is known of them without an encoder.

    Args:
        loader: of crops of all scans, with `image`, `scan`, `label` and the baselines.
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
        known = {encoder.name: encoder(batch["image"])} if encoder else {}
        known |= {baseline: batch[baseline] for baseline in baselines}
        parts.append(known | {"label": batch["label"].flatten(), "scan": batch["scan"]})
    joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    label, scan = joined.pop("label"), joined.pop("scan")
    subject = {item["scan"]: item["subject"] for item in scans}
    return Features(joined, label, np.array([subject[int(number)] for number in scan]))


def bags_of_subjects(features: Features) -> Features:
    """Put the crops of each subject, all of which have its class label, into one bag."""
    subjects = np.unique(features.subject)
    members = [torch.from_numpy(np.flatnonzero(features.subject == subject)) for subject in subjects]
    largest = max(map(len, members))

    def bags(values: torch.Tensor) -> torch.Tensor:
        filled = torch.full((len(subjects), largest, values.shape[1]), torch.nan)
        for bag, rows in zip(filled, members, strict=True):
            bag[: len(rows)] = values[rows]
        return filled

    values = {name: bags(crops) for name, crops in features.values.items()}
    return Features(values, torch.stack([features.label[rows[0]] for rows in members]), subjects)
