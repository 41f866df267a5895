"""Clip the gradient's norm."""

from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from torch.nn.utils import clip_grad_norm_

__all__ = ["GradientClipping"]


class GradientClipping:
    """Scale the gradient of a MONAI trainer's network down to a norm before each optimizer step.

    Args:
        max_norm: largest L2 norm of all gradients together.
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        clip_grad_norm_(engine.network.parameters(), self.max_norm)
