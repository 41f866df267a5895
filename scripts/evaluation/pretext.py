"""How well an encoder solves the task that it was pretrained by, on test subjects, and what else would solve it."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from ..metrics.subject_bootstrap import SubjectBootstrap
from .drawn_metrics import metrics_of_draws
from .pretext_heads import Solver, fitted_solvers
from .pretext_task import PretextTask

__all__ = ["measure_pretext"]

logger = logging.getLogger(__name__)

# what the trained encoder and head see in place of crops, by the ending of the metric
SEEN_INSTEAD = {"_noise": "noise", "_constant": "constant", "_borders": "borders"}


def measure_pretext(
    task: PretextTask, network: nn.Module, untrained: nn.Module, head: nn.Module, split: Mapping[str, list[dict]]
) -> tuple[dict, dict[str, dict[str, torch.Tensor]]]:
    """Accuracies in a pretext task, on crops of test subjects.

    Args:
        task: as it was trained.
        network: with the weights of the encoder; `untrained`: as it was drawn.
        head: the task's loss, with the head that was trained with the encoder.
        split: items of `train` and `test`.

    Returns:
        As `metrics_of_draws`, and what it takes: `pretext_accuracy`, of the encoder and its head, and with endings that
        of them where they see `_noise`, `_constant` voxels or `_borders` of crops alone. A head is fitted anew to
        standardised embeddings of training subjects, in one way to the encoder (`_fitted_head`) and to the untrained
        one (`_random_encoder`); `pretext_accuracy_gain` is what the first has more than the second. `pretext_chance` is
        what guesses reach. All of them are there by the task's own `name` as well.
    """
    logger.info(f"Fitting heads of the pretext task to the encoder and to an untrained one, {task.steps} steps each")
    fitted = fitted_solvers(task, {"_fitted_head": network, "_random_encoder": untrained}, split["train"])
    logger.info(f"Solving the pretext task on {len(split['test'])} scans of test subjects, and on controls")
    right, chance, subjects = _answers(task, Solver(network, head), fitted, split["test"])
    draws = SubjectBootstrap(subjects)
    drawn = {ending: {"pretext_accuracy": draws.crop_means(values[:, None])[:, 0]} for ending, values in right.items()}
    own, theirs = (drawn[ending]["pretext_accuracy"] for ending in ("_fitted_head", "_random_encoder"))
    drawn[""]["pretext_accuracy_gain"] = own - theirs
    metrics = metrics_of_draws(drawn, draws) | {"pretext_chance": float(chance.mean())}
    own_names = {key.replace("pretext", task.name): metrics[key] for key in metrics if key.startswith("pretext")}
    logger.info(_summary(metrics))
    return metrics | own_names, drawn


def _answers(
    task: PretextTask, trained: Solver, fitted: Mapping[str, Solver], scans: Sequence[dict]
) -> tuple[dict[str, torch.Tensor], torch.Tensor, np.ndarray]:
    """By the metric's ending, how right each item is answered, [N]; what a guess reaches, [N]; whose it is, [N]."""
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


def _summary(metrics: dict) -> str:
    own, chance, fitted, theirs = (
        _shown(metrics[f"pretext_{name}"])
        for name in ("accuracy", "chance", "accuracy_fitted_head", "accuracy_random_encoder")
    )
    controls = ", ".join(
        f"{name} {_shown(metrics[f'pretext_accuracy{ending}'])}" for ending, name in SEEN_INSTEAD.items()
    )
    return (
        f"Pretext task: {own} of the answers are right (chance {chance}; {controls}). With a head that is "
        f"fitted anew, {fitted}, and {theirs} of an untrained encoder's."
    )


def _shown(share: float | None) -> str:
    return "an unknown share" if share is None else f"{share:.3f}"
