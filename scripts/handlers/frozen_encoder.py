"""The first epochs of a training leave a pretrained encoder as it is."""

import logging
from collections.abc import Sequence

from ignite.engine import Engine, Events
from torch import nn

__all__ = ["FrozenEncoder"]

logger = logging.getLogger(__name__)


class FrozenEncoder:
    """Keeps parts of a network as they are until a number of epochs is over; then all of it trains.

    Nothing of them changes meanwhile: no weight, and no running mean or variance of a batch normalisation, by which
    they normalise (a step's own would be those of another network than the one that was pretrained). They have no
    dropout. Freezing weights alone, as `monai.networks.utils.freeze_layers` does, leaves these three to the training.

    Args:
        network: of which these are parts; not what DistributedDataParallel makes of it.
        parts: names of its modules.
        epochs: for which they are frozen; 0: never.
    """

    def __init__(self, network: nn.Module, parts: Sequence[str], epochs: int) -> None:
        self.modules, self.epochs = [network.get_submodule(part) for part in parts], epochs
        self.hooks: list = []

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.STARTED, self._warn)
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def _warn(self, engine: Engine) -> None:
        """Say that nothing will set the encoder free."""
        if engine.state.max_epochs <= self.epochs:
            logger.warning(
                f"The encoder stays as it is in all {engine.state.max_epochs} epochs: to train it as well, give "
                f"max_epochs more than the {self.epochs} of frozen_epochs, or lower these."
            )

    def __call__(self, engine: Engine) -> None:
        """At the start of an epoch, freeze what has to be frozen in it, or set it free."""
        if engine.state.epoch <= self.epochs:
            self._freeze()
        elif self.hooks:
            self._free()
            logger.info(f"The encoder trains as well, from epoch {engine.state.epoch} on.")

    def _freeze(self) -> None:
        if self.hooks:
            return
        for module in self.modules:
            module.requires_grad_(False)
            # a trainer sets all of its network to training mode in each step, and nothing comes between but this
            self.hooks.append(module.register_forward_pre_hook(_to_evaluation))

    def _free(self) -> None:
        while self.hooks:
            self.hooks.pop().remove()
        for module in self.modules:
            module.requires_grad_(True)


def _to_evaluation(module: nn.Module, inputs: tuple) -> None:
    module.eval()
