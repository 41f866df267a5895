"""How well an encoder solves the task that it was pretrained by, on test subjects, and what else would solve it."""

import copy
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import list_data_collate
from monai.transforms import Compose
from torch import nn

from ..inferers.batch import BatchInferer
from ..losses.pretext import PretextLoss
from ..metrics.subject_bootstrap import SubjectBootstrap
from ..networks.weights import load_encoder
from ..progress import with_progress
from ..transforms.control import Controld
from ..transforms.repeatable import Repeatable
from .drawn_metrics import metrics_of_draws

__all__ = ["PretextTask", "measure_pretext"]

logger = logging.getLogger(__name__)

# what the trained encoder and head see in place of crops, by the ending of the metric
SEEN_INSTEAD = {"_noise": "noise", "_constant": "constant", "_borders": "borders"}
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

    def batches(self, scans: Sequence[dict], controls: Sequence[str]) -> Iterator[tuple[list[dict], dict[str, dict]]]:
        """Scans, and a batch of the same crops of them for each control. Each scan is prepared once."""
        drawn = [{control: self._draw(control, number) for control in controls} for number in range(self.draws)]
        for part in np.array_split(np.arange(len(scans)), math.ceil(len(scans) / self.batch_size)):
            some = [scans[i] for i in part]
            prepared = [self.preparation(scan) for scan in some]
            for draw in drawn:
                yield some, {control: list_data_collate([draw[control](scan) for scan in prepared]) for control in draw}

    def embed(self, network: nn.Module, batch: dict) -> Embedded:
        """Embeddings of a batch, and its target, on the CPU."""
        _, target, _, _ = self.run.prepare_batch(batch, "cpu")
        return self.run(batch, network), target

    def _draw(self, control: str, number: int) -> Repeatable:
        replaced = Controld(self.images, control, allow_missing_keys=True)
        return Repeatable(Compose([self.items, replaced]), self.seed + number)


def measure_pretext(
    task: PretextTask, network: nn.Module, untrained: nn.Module, split: Mapping[str, list[dict]], encoder: str
) -> dict:
    """Accuracies in a pretext task, on crops of test subjects.

    Args:
        task: as it was trained.
        network: with the weights of the encoder; `untrained`: as it was drawn.
        split: items of `train` and `test`.
        encoder: path of these weights, beside which is head.pt, of the loss.

    Returns:
        As `metrics_of_draws`: `pretext_accuracy`, of the encoder and the head that was trained with it, and with
        endings that of them where they see `_noise`, `_constant` voxels or `_borders` of crops alone. A head is fitted
        anew to standardised embeddings of training subjects, in one way to the encoder (`_fitted_head`) and to the
        untrained one (`_random_encoder`), from which the difference is that of these two. `pretext_chance` is what
        guesses reach. Where there is no head.pt, no metric.

    Raises:
        InputError: the weights in head.pt are not those of this task's head.
    """
    path = Path(encoder).parent / "head.pt"
    if not path.is_file():
        logger.info(f"There is no head.pt beside {encoder}, so that its pretext task is not measured.")
        return {"intervals": {}, "differences": {}}
    trained = load_encoder(_copy_of(task.loss), path).eval()
    logger.info(f"Fitting heads of the pretext task to the encoder and to an untrained one, {task.steps} steps each")
    fitted = _fitted(task, {"_fitted_head": network, "_random_encoder": untrained}, split["train"])
    logger.info(f"Solving the pretext task on {len(split['test'])} scans of test subjects, and on controls")
    right, chance, subjects = _answers(task, _Solver(network, trained), fitted, split["test"])
    draws = SubjectBootstrap(subjects)
    drawn = {ending: {"pretext_accuracy": draws.crop_means(values[:, None])[:, 0]} for ending, values in right.items()}
    metrics = metrics_of_draws(drawn, draws) | {"pretext_chance": float(chance.mean())}
    alike = {"": drawn["_fitted_head"], "_random_encoder": drawn["_random_encoder"]}
    metrics["differences"] |= metrics_of_draws(alike, draws)["differences"]
    logger.info(_summary(metrics))
    return metrics


@dataclass(frozen=True)
class _Solver:
    """An encoder, and the loss whose head answers by its embeddings."""

    network: nn.Module
    loss: Any

    def right(self, task: PretextTask, batch: dict) -> torch.Tensor:
        """Whether each item is answered right, [items]."""
        return self.loss.correct(*task.embed(self.network, batch))


def _answers(
    task: PretextTask, trained: _Solver, fitted: Mapping[str, _Solver], scans: Sequence[dict]
) -> tuple[dict[str, torch.Tensor], torch.Tensor, np.ndarray]:
    """By the metric's ending, whether each item is answered right, [N]; what a guess reaches, [N]; whose it is, [N]."""
    right: dict[str, list[torch.Tensor]] = {ending: [] for ending in ("", *fitted, *SEEN_INSTEAD)}
    chance, subjects = [], []
    for some, batches in task.batches(scans, [*dict.fromkeys([task.control, *SEEN_INSTEAD.values()])]):
        for ending, control in {"": task.control, **SEEN_INSTEAD}.items():
            right[ending].append(trained.right(task, batches[control]))
        for ending, solver in fitted.items():
            right[ending].append(solver.right(task, batches[task.control]))
        _, target, _, _ = task.run.prepare_batch(batches[task.control], "cpu")
        chance.append(task.loss.chance(target))
        each, rest = divmod(len(chance[-1]), len(some))
        if rest:
            raise ValueError("a pretext task has more items of one scan than of another")
        subjects += [scan["subject"] for scan in some for _ in range(each)]
    return {ending: torch.cat(parts).double() for ending, parts in right.items()}, torch.cat(chance), np.array(subjects)


def _fitted(task: PretextTask, networks: Mapping[str, nn.Module], scans: Sequence[dict]) -> dict[str, _Solver]:
    """Each encoder, which stays as it is, with a head that is fitted to its embeddings of the same crops."""
    embedded: dict[str, list[Embedded]] = {ending: [] for ending in networks}
    for _, batches in task.batches(scans, [task.control]):
        for ending, network in networks.items():
            embedded[ending].append(task.embed(network, batches[task.control]))
    solvers = {ending: _Solver(networks[ending], _fitted_head(task, seen)) for ending, seen in embedded.items()}
    for ending, seen in embedded.items():
        right = torch.cat([solvers[ending].loss.correct(*batch) for batch in seen]).double().mean()
        whose = "the encoder" if ending == "_fitted_head" else "the untrained encoder"
        logger.info(f"On the crops of training subjects, the head fitted to {whose} is right in {float(right):.3f}.")
    return solvers


def _fitted_head(task: PretextTask, embedded: Sequence[Embedded]) -> nn.Module:
    """The task's loss, its head fitted to batches of embeddings."""
    loss = _Standardised(_copy_of(task.loss), torch.cat([embedding for embedding, _ in embedded]))
    optimizer = torch.optim.AdamW(loss.parameters(), lr=1e-3, fused=True)  # on a CPU, a third of a step less
    random = np.random.RandomState(task.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        loss.train()
        for _ in with_progress(range(task.steps), "Steps of fitting a head:"):
            optimizer.zero_grad()
            loss(*embedded[random.randint(len(embedded))]).backward()
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


def _summary(metrics: dict) -> str:
    own, chance, fitted, theirs = (
        metrics[f"pretext_{name}"] for name in ("accuracy", "chance", "accuracy_fitted_head", "accuracy_random_encoder")
    )
    controls = ", ".join(f"{name} {metrics[f'pretext_accuracy{ending}']:.3f}" for ending, name in SEEN_INSTEAD.items())
    return (
        f"Pretext task: {own:.3f} of the answers are right (chance {chance:.3f}; {controls}). With a head that is "
        f"fitted anew, {fitted:.3f}, and {theirs:.3f} of an untrained encoder's."
    )
