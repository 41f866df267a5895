"""Keep a training finite: clip the gradient's norm, and end where loss or gradient are no longer numbers."""

from collections.abc import Iterable, Iterator

import torch
from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from torch.nn.utils import clip_grad_norm_, get_total_norm

from ..errors import InputError, some
from .checkpoint import last_good

__all__ = ["FiniteLoss", "GradientClipping"]


class FiniteLoss:
    """End training with a sentence when the loss or its gradient is NaN or infinite, before it spoils the weights.

    Args:
        scans: items with `scan`, their number in a batch, and `image`, the file that the sentence names.
        path: of the checkpoint that is good until then.
    """

    def __init__(self, scans: Iterable[dict], path: str) -> None:
        self.files, self.path = {scan["scan"]: scan["image"] for scan in scans}, path

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer, before `GradientClipping`."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self._check_loss)
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self._check_gradient)

    def _check_loss(self, engine: Engine) -> None:
        loss = engine.state.output["loss"]
        if not loss.isfinite().all():
            self._end(f"The loss is {float(loss)}", engine)

    def _check_gradient(self, engine: Engine) -> None:
        gradients = [parameter.grad for parameter in _trained(engine) if parameter.grad is not None]
        if not get_total_norm(gradients).isfinite():
            self._end("The gradient is not finite", engine)

    def _end(self, fault: str, engine: Engine) -> None:
        numbers = sorted(set(torch.as_tensor(engine.state.batch["scan"]).tolist()))
        files = [str(self.files.get(number, number)) for number in numbers]
        raise InputError(
            f"{fault} in step {engine.state.iteration} (epoch {engine.state.epoch}), with crops of "
            f"{some(files, 8)}. {last_good(self.path)}"
        )


class GradientClipping:
    """Scale the gradient of all that a MONAI trainer's optimizer trains down to a norm before each of its steps.

    Args:
        max_norm: largest L2 norm of all gradients together.
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        clip_grad_norm_(_trained(engine), self.max_norm)


def _trained(engine: Engine) -> Iterator[torch.nn.Parameter]:
    return (parameter for group in engine.optimizer.param_groups for parameter in group["params"])
