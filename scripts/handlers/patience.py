"""How long a training waits for a process that does not answer."""

from datetime import timedelta

import torch.distributed as dist
from ignite.engine import Engine, Events

from ..distributed import processes, wait

__all__ = ["Patience"]


class Patience:
    """Let no process wait longer than this for another one, from the first step on.

    Until then they wait as long as their process group says, since the first may convert scans, and some prepare more
    than others. A host that is cut off answers nothing, not even that it is gone.

    Args:
        minutes: after which the wait is an error.
    """

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self) -> None:
        """Meet, and be patient no longer."""
        if processes() > 1:
            wait()
            dist.distributed_c10d._set_pg_timeout(timedelta(minutes=self.minutes))
