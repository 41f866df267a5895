"""Checkpoints that survive being killed at any moment."""

import logging
import os
import weakref
from collections.abc import Mapping
from pathlib import Path

import torch
from ignite.engine import Engine, Events

from ..atomic import explain_failure, save_atomically
from ..distributed import from_all, processes, rank, unwrapped
from ..errors import InputError
from .resumed_epoch import RemainingBatches, random_state

__all__ = ["LoadCheckpoint", "SaveCheckpoint", "last_good"]

logger = logging.getLogger(__name__)


class SaveCheckpoint:
    """Save all that a resume needs after each epoch: the trainer's place and the objects that it works with.

    Args:
        path: of the file.
        objects: by name, with `state_dict` and `load_state_dict`.
        steps: from one checkpoint to the next within an epoch; None: there is none before its end.

    Raises:
        InputError: a training begins where another left its checkpoint; what is to be saved is no longer finite; or
            the folder is removed or moved while the training runs.
    """

    def __init__(self, path: str, objects: Mapping, steps: int | None = None) -> None:
        self.path, self.objects, self.steps = Path(path), objects, steps
        self.folder: int | None = None

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after `LoadCheckpoint` and after all handlers of which `objects` has a state."""
        engine.add_event_handler(Events.STARTED, self._keep)
        engine.add_event_handler(Events.STARTED, self._open_folder)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._require_folder)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save_within_an_epoch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def _keep(self, engine: Engine) -> None:
        # who runs the trainer without `open_run`, as a federated client does, is stopped here
        is_new = engine.state.iteration == 0 and getattr(engine.state, "resumed_from", None) != self.path
        if is_new and self.path.is_file():
            raise InputError(f"{self.path} is of another training, and would be lost: give another output_dir.")

    def _open_folder(self) -> None:
        if self.folder is None and rank() == 0 and os.name == "posix":  # elsewhere, what is in use cannot be removed
            with explain_failure(self.path.parent):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.folder = os.open(self.path.parent, os.O_RDONLY)
            weakref.finalize(self, os.close, self.folder)

    def _require_folder(self) -> None:
        if self.folder is None:
            return
        try:
            is_there = os.path.samestat(os.stat(self.path.parent), os.fstat(self.folder))
        except FileNotFoundError:
            is_there = False
        except OSError:  # a network that does not answer; a save will tell
            return
        if not is_there:
            raise InputError(
                f"{self.path.parent} was removed or moved while its run was writing to it. Moved, it can be resumed "
                "with its new name as --output_dir; else begin anew."
            )

    def _save_within_an_epoch(self, engine: Engine) -> None:
        done = engine.state.iteration % engine.state.epoch_length
        if self.steps and done and done % self.steps == 0:
            self(engine)

    def __call__(self, engine: Engine) -> None:
        """Save."""
        random = from_all(random_state(_device(engine)))
        if rank() == 0:
            items = {"trainer": engine, **self.objects}
            content = {name: unwrapped(item).state_dict() for name, item in items.items()}
            self._require_finite(content, engine)
            save_atomically(content | {"random": random}, self.path)

    def _require_finite(self, content: dict, engine: Engine) -> None:
        spoilt = next((name for name, item in content.items() if not _is_finite(item)), None)
        if spoilt:
            raise InputError(
                f"The {spoilt} is no longer finite after step {engine.state.iteration} (epoch {engine.state.epoch}), "
                f"and is not saved. {last_good(self.path)}"
            )


class LoadCheckpoint:
    """Resume the run that wrote a checkpoint, where it stopped; a larger max_epochs prolongs it.

    Within an epoch, the steps that were done are loaded again and not trained on, so that all that is random goes on
    as it would have. With another number of processes an epoch has other steps, and begins anew.

    Args:
        path: of a file of `SaveCheckpoint`.
        objects: those that it was given.
    """

    def __init__(self, path: str, objects: Mapping) -> None:
        self.path, self.objects = Path(path), objects

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, before the handlers that look at its place."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Load."""
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        for name, item in self.objects.items():
            unwrapped(item).load_state_dict(state[name])
        length, random = state["trainer"]["epoch_length"], state.get("random", [])
        engine.state.epoch, done = divmod(state["trainer"]["iteration"], length)
        engine.state.resumed_from = self.path
        if done and (length, len(random)) != (engine.state.epoch_length, processes()):
            logger.warning(
                f"{self.path} is of step {done} in epoch {engine.state.epoch + 1} with {len(random)} processes: with "
                f"{processes()}, this epoch begins anew."
            )
            done = 0
        engine.state.iteration = engine.state.epoch * engine.state.epoch_length + done
        if rank() == 0:
            logger.info(f"{self.path}: {_place(engine.state.epoch, engine.state.max_epochs, done)}")
        if done:
            left = RemainingBatches(engine.state.dataloader, done, random[rank()], _device(engine))
            engine.state.dataloader = left


def last_good(path: str | Path) -> str:
    """A sentence: which checkpoint a training that went wrong can be resumed from."""
    if not Path(path).is_file():
        return "No checkpoint was saved before: begin anew, with a lower learning_rate or amp false."
    trainer = torch.load(path, map_location="cpu", weights_only=True)["trainer"]
    epoch, step = divmod(trainer["iteration"], trainer["epoch_length"])
    place = f"step {step} in epoch {epoch + 1}" if step else f"epoch {epoch}"
    return (
        f"{path}, of {place}, is good: continue from it with --amp false --resume true, or begin anew with a lower "
        "learning_rate and another --output_dir."
    )


def _place(epochs: int, wanted: int, steps: int) -> str:
    """Where a resumed run stands, in words."""
    if epochs < wanted:
        behind = f" behind its step {steps}, up to which scans are loaded again" if steps else ""
        return f"resumes with epoch {epochs + 1} of {wanted}{behind}."
    return f"{epochs} of {wanted} epochs are done, and nothing is left to do; a larger max_epochs prolongs the run."


def _device(engine: Engine) -> torch.device | None:
    return getattr(engine.state, "device", None)  # MONAI's engines know it, Ignite's do not


def _is_finite(item) -> bool:
    """Whether all floating-point tensors in a state are."""
    if isinstance(item, Mapping):
        return all(map(_is_finite, item.values()))
    return bool(item.isfinite().all()) if isinstance(item, torch.Tensor) else True
