"""A run that a person can follow: a bar with loss and time left, a line a validation, a table of losses."""

import csv
import logging
import time
from collections.abc import Mapping

from ignite.engine import Engine, Events
from monai.utils import optional_import

from .atomic import write_atomically
from .distributed import rank

__all__ = ["Progress"]

logger = logging.getLogger(__name__)


class Progress:
    """Report on a trainer: a progress bar over all epochs, one line an epoch that was validated, history.csv.

    Args:
        evaluator: whose metric `validation_loss` is reported; run before this handler in each epoch.
        path: of the CSV with the columns epoch, train_loss, validation_loss (mm²), learning_rate, crops_per_second.
    """

    def __init__(self, evaluator: Engine, path: str) -> None:
        self.evaluator, self.path, self.history = evaluator, path, []
        self.bar = self.validated = None

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after the handler that validates; the first process alone reports."""
        if rank() > 0:
            return
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._step)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._finish_epoch)
        # not at EXCEPTION_RAISED: Ignite swallows an exception that has a handler
        engine.add_event_handler(Events.COMPLETED | Events.TERMINATE, self._close)
        self.evaluator.add_event_handler(Events.COMPLETED, self._validate)

    def state_dict(self) -> dict:
        """The history so far, for a resume."""
        return {"history": self.history}

    def load_state_dict(self, state: Mapping) -> None:
        """Go on from the history of an earlier run."""
        self.history = list(state["history"])

    def _start(self, engine: Engine) -> None:
        self.began, self.first_epoch = time.monotonic(), engine.state.epoch
        tqdm, installed = optional_import("tqdm.auto", name="tqdm")
        if installed:
            total = engine.state.max_epochs * engine.state.epoch_length
            # disable=None: no bar where the output is a file
            self.bar = tqdm(total=total, initial=engine.state.iteration, unit="step", disable=None, leave=False)

    def _start_epoch(self, engine: Engine) -> None:
        self.losses, self.crops, self.epoch_began, self.validated = [], 0, time.monotonic(), None
        engine.state.metrics.pop("validation_loss", None)
        self.rate = engine.optimizer.param_groups[0]["lr"]

    def _step(self, engine: Engine) -> None:
        self.losses.append(engine.state.output["loss"].item())
        self.crops += len(engine.state.output["image"])
        self.seconds = time.monotonic() - self.epoch_began
        if self.bar is not None:
            self.bar.set_description(f"epoch {engine.state.epoch}/{engine.state.max_epochs}", refresh=False)
            self.bar.set_postfix_str(f"loss {self.losses[-1]:.0f} mm²", refresh=False)
            self.bar.update()

    def _validate(self, evaluator: Engine) -> None:
        self.validated = float(evaluator.state.metrics["validation_loss"])

    def _finish_epoch(self, engine: Engine) -> None:
        row = {
            "epoch": engine.state.epoch,
            "train_loss": sum(self.losses) / len(self.losses),
            "validation_loss": self.validated,
            "learning_rate": self.rate,
            "crops_per_second": self.crops / self.seconds,
        }
        before = [past["validation_loss"] for past in self.history if past["validation_loss"] is not None]
        self.history.append(row)
        write_atomically(self.path, self._write)
        if self.validated is not None:
            engine.state.metrics["validation_loss"] = self.validated  # for TensorBoardStatsHandler
            logger.info(self._line(engine, row, best=not before or self.validated < min(before)))

    def _line(self, engine: Engine, row: dict, best: bool) -> str:
        done = engine.state.epoch - self.first_epoch
        left = (time.monotonic() - self.began) / done * (engine.state.max_epochs - engine.state.epoch)
        return (
            f"epoch {row['epoch']}/{engine.state.max_epochs}: root mean square distance error "
            f"{row['train_loss'] ** 0.5:.1f} mm in training, {row['validation_loss'] ** 0.5:.1f} mm in validation"
            f"{', the best so far' if best else ''}; {row['crops_per_second']:.0f} crops/s, {left / 60:.1f} min left"
        )

    def _write(self, path) -> None:
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, self.history[0])
            writer.writeheader()
            writer.writerows(self.history)

    def _close(self, *_) -> None:
        if self.bar is not None:
            self.bar.close()
