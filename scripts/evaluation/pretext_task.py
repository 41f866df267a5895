"""A pretext task as an encoder was trained with it, in batches of the same crops each time."""

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.data import list_data_collate
from monai.transforms import Compose
from torch import nn

from ..data.interleaved import interleaved
from ..inferers.batch import BatchInferer
from ..losses.pretext import PretextLoss
from ..transforms.control import Controld
from ..transforms.repeatable import Repeatable

__all__ = ["Embedded", "PretextTask"]

Split = Mapping[str, list[dict]]
Embedded = tuple[torch.Tensor, dict[str, Any]]  # embeddings of a batch, and its target


@dataclass(frozen=True)
class PretextTask:
    """A pretext task as an encoder was trained with it.

    Attributes:
        loss: that of the task, an `nn.Module`, as yet untrained.
        preparation: from an item of the split to a prepared scan.
        items: random transform from that to a list of crops with what is asked about them.
        images: keys of what controls replace.
        control: what the encoder was trained on: `none`, or what `Controld` made of its crops.
        run: runs a network on a batch.
        batch_size: scans a batch, out of which some tasks' answers are chosen.
        draws: of each scan.
        steps: for which a head is fitted to the encoder, and to an untrained one.
        seed: of the draws and of that.
        asked: from a split of scans to that of what the task is about, such as `cases_of_split`; None where the scans
            are none of that. None in its place: the scans themselves.
        name: with which its metrics begin as well, in place of `pretext`.
    """

    loss: PretextLoss
    preparation: Callable
    items: Callable
    images: Sequence[str]
    control: str
    run: BatchInferer
    batch_size: int
    draws: int
    steps: int
    seed: int = 0
    asked: Callable[[Split], Split | None] | None = None
    name: str = "pretext"

    def split(self, scans: Split) -> Split | None:
        """What the task is about, under `train` and `test`, of a split of scans; None: there is nothing."""
        return self.asked(scans) if self.asked else scans

    def parts(self, scans: Sequence[dict]) -> list[list[dict]]:
        """The scans of each batch, of as many subjects as can be.

        A training leaves out a last step of few scans. Here they are shared out evenly, so that none is alone: a head
        may normalise over the items of a step.
        """
        number = min(math.ceil(len(scans) / self.batch_size), max(1, len(scans) // min(self.batch_size, 2)))
        mixed = interleaved(scans)
        return [[mixed[i] for i in part] for part in np.array_split(np.arange(len(scans)), number)]

    def batches(
        self, scans: Sequence[dict], controls: Sequence[str], picked: Container[int] | None = None
    ) -> Iterator[tuple[list[dict], dict[str, dict]]]:
        """Scans, and a batch of the same crops of them for each control. Each scan is prepared once.

        Args:
            scans: each with its `subject`.
            controls: as for `Controld`.
            picked: numbers of the batches that are made; None: all, which are draws x parts.
        """
        drawn = {control: self._draw(control) for control in controls}
        for first, some in enumerate(self.parts(scans)):
            numbers = [i for i in range(self.draws) if picked is None or first * self.draws + i in picked]
            prepared = [self.preparation(scan) for scan in some] if numbers else []
            for i in numbers:
                yield (
                    some,
                    {key: list_data_collate([draw(scan, i) for scan in prepared]) for key, draw in drawn.items()},
                )

    def embed(self, network: nn.Module, batch: dict) -> Embedded:
        """Embeddings of a batch, and its target, on the CPU."""
        _, target, _, _ = self.run.prepare_batch(batch, "cpu")
        return self.run(batch, network), target

    def _draw(self, control: str) -> Repeatable:
        replaced = Controld(self.images, control, allow_missing_keys=True)
        return Repeatable(Compose([self.items, replaced]), self.seed)
