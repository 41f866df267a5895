"""Heads that answer a pretext task by embeddings: that which was trained, and others that are fitted anew."""

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..networks.weights import load_encoder
from ..progress import with_progress
from .pretext_task import Embedded, PretextTask

__all__ = ["Solver", "fitted_solvers", "trained_head"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Solver:
    """An encoder, and the loss whose head answers by its embeddings."""

    network: nn.Module
    loss: Any

    def right(self, task: PretextTask, batch: dict) -> torch.Tensor:
        """How right each item is answered, [items]."""
        return self.loss.correct(*task.embed(self.network, batch))


def trained_head(loss: Any, encoder: str) -> Any:
    """A loss with the head.pt that lies beside an encoder, on the CPU; None where there is none.

    Raises:
        InputError: its weights are not those of this loss's head.
    """
    path = Path(encoder).parent / "head.pt"
    if path.is_file():
        return load_encoder(_copy_of(loss), path).eval()
    logger.info(f"There is no head.pt beside {encoder}, so that its pretext task is not measured.")
    return None


def fitted_solvers(task: PretextTask, networks: Mapping[str, nn.Module], scans: Sequence[dict]) -> dict[str, Solver]:
    """Each encoder, which stays as it is, with a head that is fitted to its embeddings of the same crops.

    Args:
        task: whose head.
        networks: the encoders, by the ending of their metrics.
        scans: of training subjects.
    """
    steps = _picked_batches(task, len(task.parts(scans)) * task.draws)
    picked = sorted(set(steps))
    batches = with_progress(task.batches(scans, [task.control], set(picked)), "Embedding batch", total=len(picked))
    embedded: dict[str, dict[int, Embedded]] = {ending: {} for ending in networks}
    for number, (_, batch) in zip(picked, batches, strict=True):
        for ending, network in networks.items():
            embedded[ending][number] = task.embed(network, batch[task.control])
    solvers = {ending: Solver(networks[ending], _fitted_head(task, seen, steps)) for ending, seen in embedded.items()}
    for ending, seen in embedded.items():
        right = torch.cat([solvers[ending].loss.correct(*batch) for batch in seen.values()]).double().mean()
        whose = "the encoder" if ending == "_fitted_head" else "the untrained encoder"
        logger.info(f"On the crops of training subjects, the head fitted to {whose} is right in {float(right):.3f}.")
    return solvers


def _picked_batches(task: PretextTask, number: int) -> list[int]:
    """Which of so many batches each step is of."""
    random = np.random.RandomState(task.seed)
    return [int(random.randint(number)) for _ in range(task.steps)]


def _fitted_head(task: PretextTask, embedded: Mapping[int, Embedded], steps: Sequence[int]) -> nn.Module:
    """The task's loss, its head fitted to batches of embeddings, one a step."""
    loss = _Standardised(_copy_of(task.loss), torch.cat([embedding for embedding, _ in embedded.values()]))
    optimizer = torch.optim.AdamW(loss.parameters(), lr=1e-3, fused=True)  # on a CPU, a third of a step less
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        loss.train()
        for step in with_progress(steps, "Steps of fitting a head:"):
            optimizer.zero_grad()
            loss(*embedded[step]).backward()
            optimizer.step()
    return loss.eval()


def _copy_of(loss: Any) -> nn.Module:
    return copy.deepcopy(loss).cpu()


class _Standardised(nn.Module):
    """A loss of embeddings that vary as much in each of their numbers, however an encoder was drawn."""

    def __init__(self, loss: Any, embedding: torch.Tensor) -> None:
        super().__init__()
        self.loss, self.centre = loss, embedding.mean(0)
        self.spread = embedding.std(0).clamp(min=1e-6)

    def forward(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        return self.loss((embedding - self.centre) / self.spread, target)

    def correct(self, embedding: torch.Tensor, target: dict[str, Any]) -> torch.Tensor:
        return self.loss.correct((embedding - self.centre) / self.spread, target)
