"""Stop a training whose loss is no longer a number, before it spoils the weights that are kept."""

from ignite.engine import Engine
from monai.engines.utils import IterationEvents

from .errors import InputError

__all__ = ["FiniteLoss"]


class FiniteLoss:
    """End training with a sentence when the loss is NaN or infinite."""

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        loss = engine.state.output["loss"]
        if not loss.isfinite().all():
            raise InputError(
                f"The loss is {float(loss)} in step {engine.state.iteration} (epoch {engine.state.epoch}): what was "
                "saved before is good; lower learning_rate or set amp to false, and continue with --resume true."
            )
