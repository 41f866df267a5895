"""Keep a training finite: clip the gradient's norm, and end where loss or gradient are no longer numbers."""

from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from torch.nn.utils import clip_grad_norm_

from ..errors import InputError

__all__ = ["FiniteLoss", "GradientClipping"]


class FiniteLoss:
    """End training with a sentence when the loss is NaN or infinite, before it spoils the weights that are kept."""

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        loss = engine.state.output["loss"]
        if not loss.isfinite().all():
            _end(f"The loss is {float(loss)}", engine)


class GradientClipping:
    """Scale the gradient of all that a MONAI trainer's optimizer trains down to a norm before each of its steps.

    A gradient that is not finite ends the training with a sentence: scaled, it would turn the weights into NaN.

    Args:
        max_norm: largest L2 norm of all gradients together.
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        parameters = [parameter for group in engine.optimizer.param_groups for parameter in group["params"]]
        norm = clip_grad_norm_(parameters, self.max_norm)
        if not norm.isfinite():
            _end("The gradient is not finite", engine)


def _end(fault: str, engine: Engine) -> None:
    raise InputError(
        f"{fault} in step {engine.state.iteration} (epoch {engine.state.epoch}): what was saved before is good; lower "
        "learning_rate or set amp to false, and continue with --resume true."
    )
