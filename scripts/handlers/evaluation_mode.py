"""What a loss trains itself is in evaluation mode while an evaluator runs, as the network is."""

from ignite.engine import Engine, Events
from torch import nn

__all__ = ["EvaluationMode"]


class EvaluationMode:
    """Switch a module's dropout off, and normalise by its running means and variances, while an evaluator runs.

    MONAI's evaluator does that to its network, and to nothing else.

    Args:
        module: such as a loss with a head.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module, self.trained = module, module.training

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.COMPLETED, self._end)

    def _begin(self) -> None:
        self.trained = self.module.training
        self.module.eval()

    def _end(self) -> None:
        self.module.train(self.trained)
