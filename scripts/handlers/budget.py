"""A training that costs no more than another one."""

import logging
import math
import time
from collections.abc import Mapping

from ignite.engine import Engine, Events

from ..distributed import from_first, processes, rank

__all__ = ["Budget"]

logger = logging.getLogger(__name__)


class Budget:
    """End a training with the epoch in which it has spent its budget.

    What was spent before a resume counts, also if it was spent by another number of processes.
    `ignite.handlers.TimeLimit` ends within an epoch, before it is validated, and counts anew after a resume.

    Attributes:
        spent: seconds and crops so far, the crops in all processes, which take equally many.

    Args:
        seconds: of all epochs with their validations, but for the last validation; None: as many as it takes.
        crops: that it is trained on, as the log counts them, in all processes; None likewise.
    """

    def __init__(self, seconds: float | None = None, crops: int | None = None) -> None:
        self.limits = {"seconds": seconds, "crops": crops}
        self.spent = {"seconds": 0.0, "crops": 0}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer that decollates, after what loads its checkpoint and before what saves one."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._count)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._end_if_spent)

    def state_dict(self) -> dict:
        """What was spent so far."""
        return dict(self.spent)

    def load_state_dict(self, state: Mapping) -> None:
        """Go on from what was spent before."""
        self.spent = dict(state)

    def seconds_left(self) -> float:
        """Until the first limit is reached at the pace so far, once steps were done; infinite where there is none."""
        left = (
            (limit - self.spent[unit]) * self.spent["seconds"] / self.spent[unit]
            for unit, limit in self.limits.items()
            if limit is not None
        )
        return max(0.0, min(left, default=math.inf))

    def _start(self, engine: Engine) -> None:
        self.counted = time.monotonic()
        for unit, limit in self.limits.items():
            if limit is not None and rank() == 0:
                logger.info(f"The training ends with the epoch in which {limit:g} {unit} are spent.")
        self._end_if_spent(engine)

    def _count(self, engine: Engine) -> None:
        now = time.monotonic()
        self.spent["seconds"] += now - self.counted
        self.spent["crops"] += len(engine.state.batch) * processes()
        self.counted = now

    def _end_if_spent(self, engine: Engine) -> None:
        spent = from_first(self.spent)  # all processes end at once
        for unit, limit in self.limits.items():
            if limit is not None and spent[unit] >= limit:
                if rank() == 0:
                    logger.info(f"{limit:g} {unit} are spent with epoch {engine.state.epoch}.")
                engine.terminate()
                return
