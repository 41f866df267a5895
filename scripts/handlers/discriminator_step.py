"""The step of a discriminator, before that of the generator which it judges."""

from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from monai.utils import CommonKeys
from torch.optim import Optimizer

from ..distributed import average_gradients
from ..losses.cycle import CycleLoss
from ..losses.paired_translation import PairedTranslationLoss

__all__ = ["DiscriminatorStep"]


class DiscriminatorStep:
    """Train the discriminators of a loss by what a network has made, before the loss of the network is computed.

    MONAI's `AdversarialTrainer` shows its discriminator the network's inputs as the real images, and `GanTrainer` shows
    the loss of its generator nothing but the output: neither fits where an image is made from another.

    Args:
        loss: whose discriminators are trained.
        optimizer: of these.
    """

    def __init__(self, loss: PairedTranslationLoss | CycleLoss, optimizer: Optimizer) -> None:
        self.loss, self.optimizer = loss, optimizer

    def attach(self, engine: Engine) -> None:
        """Attach to MONAI's `SupervisedTrainer`."""
        engine.add_event_handler(IterationEvents.FORWARD_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        made, target = (engine.state.output[key] for key in (CommonKeys.PRED, CommonKeys.LABEL))
        self.optimizer.zero_grad()
        self.loss.discriminator_loss(made, target).backward()
        average_gradients(self.loss)
        self.optimizer.step()
