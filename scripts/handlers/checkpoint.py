"""Checkpoints that survive being killed at any moment."""

import logging
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from ignite.engine import Engine, Events
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ..atomic import save_atomically
from ..distributed import processes, rank
from ..errors import InputError

__all__ = ["LoadCheckpoint", "SaveBest", "SaveCheckpoint"]

logger = logging.getLogger(__name__)


class SaveCheckpoint:
    """Save all that a resume needs after each epoch: the trainer's place and the objects that it works with.

    Args:
        path: of the file.
        objects: by name, with `state_dict` and `load_state_dict`.

    Raises:
        InputError: a training begins where another left its checkpoint.
    """

    def __init__(self, path: str, objects: Mapping) -> None:
        self.path, self.objects = path, objects

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after `LoadCheckpoint`."""
        engine.add_event_handler(Events.STARTED, self._keep)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def _keep(self, engine: Engine) -> None:
        # who runs the trainer without `open_run`, as a federated client does, is stopped here
        if engine.state.iteration == 0 and Path(self.path).is_file():
            raise InputError(f"{self.path} is of another training, and would be lost: give another output_dir.")

    def __call__(self, engine: Engine) -> None:
        if rank() == 0:
            items = {"trainer": engine, **self.objects}
            save_atomically({name: _plain(item).state_dict() for name, item in items.items()}, self.path)


class LoadCheckpoint:
    """Resume the run that wrote a checkpoint, where it stopped; a larger max_epochs prolongs it.

    Args:
        path: of a file of `SaveCheckpoint`.
        objects: those that it was given.
    """

    def __init__(self, path: str, objects: Mapping) -> None:
        self.path, self.objects = path, objects

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, before the handlers that look at its place."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        for name, item in self.objects.items():
            _plain(item).load_state_dict(state[name])
        # an epoch may have another number of steps now, with another number of processes
        engine.state.epoch = state["trainer"]["iteration"] // state["trainer"]["epoch_length"]
        engine.state.iteration = engine.state.epoch * engine.state.epoch_length
        if rank() == 0:
            logger.info(f"{self.path}: {_place(engine.state.epoch, engine.state.max_epochs)}")


class SaveBest:
    """Save a network's weights whenever the key metric of a MONAI evaluator is better than ever before.

    Which of two values is better is the evaluator's to say, by its `metric_cmp_fn`: `operator.lt` for a loss.

    Args:
        network: whose flat state_dict is saved.
        paths: of the files, each with the same content.

    Attributes:
        best: value so far, None before the first; is_best: whether the last one was the best so far.
    """

    def __init__(self, network: nn.Module, paths: list[str]) -> None:
        self.network, self.paths = network, paths
        self.best: float | None = None
        self.is_best = False

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        value = float(engine.state.metrics[engine.state.key_metric_name])
        self.is_best = not math.isnan(value) and (self.best is None or engine.metric_cmp_fn(value, self.best))
        if self.is_best and rank() == 0:
            self.best = value
            for path in self.paths:
                save_atomically(_plain(self.network).state_dict(), path)

    def state_dict(self) -> dict:
        """The best value so far, and the number of processes: a loss may depend on how many crops it spans."""
        return {"best": self.best, "processes": processes()}

    def load_state_dict(self, state: Mapping) -> None:
        """Resume from the best value of an earlier run, if it can be compared."""
        if state.get("processes", processes()) == processes():
            self.best = state["best"]
        elif rank() == 0:
            logger.warning(
                "The number of processes has changed, and the loss with it: the best weights are sought anew."
            )


def _place(done: int, wanted: int) -> str:
    """Where a resumed run stands, in words."""
    if done < wanted:
        return f"resumes with epoch {done + 1} of {wanted}."
    return f"{done} of {wanted} epochs are done, and nothing is left to do; a max_epochs above {done} prolongs the run."


def _plain(item):
    return item.module if isinstance(item, DistributedDataParallel) else item
