"""The best of a run's weights."""

import logging
import math
from collections.abc import Mapping

from ignite.engine import Engine, Events
from torch import nn

from ..atomic import save_atomically
from ..distributed import processes, rank, unwrapped

__all__ = ["SaveBest"]

logger = logging.getLogger(__name__)


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
                save_atomically(unwrapped(self.network).state_dict(), path)

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
