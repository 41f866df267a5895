"""A run that a person can follow: a bar an epoch, a line a validation, a table of losses."""

import logging
import time
from collections.abc import Mapping

from ignite.engine import Engine, Events
from ignite.handlers import ProgressBar
from monai.utils import optional_import

from ..atomic import write_csv_atomically
from ..distributed import rank
from .budget import Budget
from .save_best import SaveBest

__all__ = ["Progress"]

logger = logging.getLogger(__name__)


class Progress:
    """Report on a trainer: a progress bar an epoch, one line an epoch that was validated, history.csv.

    Args:
        evaluator: of MONAI, with a key metric; all its metrics are reported by their names. Run before this handler in
            each epoch.
        save_best: what keeps the best weights of the evaluator.
        path: of the CSV with the columns epoch, train_loss, learning_rate, crops_per_second (or other `items`), best (1
            where the weights were kept), and the metrics.
        budget: what ends the training before its last epoch; the CSV then has a column crops, all of them so far.
        items: what a batch holds, in place of crops.
    """

    def __init__(
        self, evaluator: Engine, save_best: SaveBest, path: str, budget: Budget | None = None, items: str = "crops"
    ) -> None:
        self.evaluator, self.save_best, self.path, self.budget, self.items = evaluator, save_best, path, budget, items
        self.history: list[dict] = []
        self.validated: dict[str, float] = {}
        self.losses: list[float] = []

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer that decollates, after the handler that validates; the first process alone reports."""
        if rank() > 0:
            return
        if optional_import("tqdm")[1]:  # before the handlers that tell of an epoch, so that its bar is gone by then
            # disable=None: no bar where the output is a file
            ProgressBar(disable=None).attach(engine, output_transform=lambda output: {"loss": output[0]["loss"]})
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._step)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._finish_epoch)
        self.evaluator.add_event_handler(Events.COMPLETED, self._validate)

    def state_dict(self) -> dict:
        """The history so far, and the losses of an epoch that was begun, to resume from."""
        return {"history": self.history, "losses": self.losses}

    def load_state_dict(self, state: Mapping) -> None:
        """Resume the history of an earlier run."""
        self.history, self.losses = list(state["history"]), list(state.get("losses", []))

    def _start(self, engine: Engine) -> None:
        self.began, self.first_epoch = time.monotonic(), engine.state.epoch

    def _start_epoch(self, engine: Engine) -> None:
        self.losses = self.losses[: engine.state.iteration % engine.state.epoch_length]  # of steps before a resume
        self.shown, self.epoch_began, self.validated = 0, time.monotonic(), {}
        engine.state.metrics.clear()
        self.rate = engine.optimizer.param_groups[0]["lr"]

    def _step(self, engine: Engine) -> None:
        self.losses.append(engine.state.output[0]["loss"])
        self.shown += len(engine.state.batch)
        self.seconds = time.monotonic() - self.epoch_began

    def _validate(self, evaluator: Engine) -> None:
        self.validated = {name: float(value) for name, value in evaluator.state.metrics.items()}

    def _finish_epoch(self, engine: Engine) -> None:
        row = {
            "epoch": engine.state.epoch,
            "train_loss": sum(self.losses) / len(self.losses),
            "learning_rate": self.rate,
            f"{self.items}_per_second": self.shown / self.seconds,
        }
        if self.budget:
            row["crops"] = self.budget.spent["crops"]
        if self.validated:
            row["best"] = int(self.save_best.is_best)
        self.history.append(row | self.validated)
        columns = list(dict.fromkeys(name for past in self.history for name in past))
        write_csv_atomically(self.path, [columns, *([past.get(name) for name in columns] for past in self.history)])
        if self.validated:
            engine.state.metrics.update(self.validated)  # for TensorBoardStatsHandler
            logger.info(self._line(engine, row))

    def _line(self, engine: Engine, row: dict) -> str:
        key = self.evaluator.state.key_metric_name
        named = "" if key == "validation_loss" else f"{key} "  # of a metric that is no loss
        rate = row[f"{self.items}_per_second"]
        others = [f"{name} {value:.3g}, " for name, value in self.validated.items() if name != key]
        return (
            f"epoch {row['epoch']}/{engine.state.max_epochs}: loss {row['train_loss']:.4g} in training, "
            f"{named}{self.validated[key]:.4g} in validation{', kept' if row['best'] else ''}; "
            f"{''.join(others)}{rate:{'.0f' if rate >= 10 else '.2g'}} {self.items}/s, "
            f"{self._seconds_left(engine) / 60:.1f} min left"
        )

    def _seconds_left(self, engine: Engine) -> float:
        done = engine.state.epoch - self.first_epoch
        left = (time.monotonic() - self.began) / done * (engine.state.max_epochs - engine.state.epoch)
        return min(left, self.budget.seconds_left()) if self.budget else left
