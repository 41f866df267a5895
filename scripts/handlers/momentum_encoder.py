"""A momentum encoder: the moving average of a network and its head."""

from ignite.handlers import EMAHandler
from torch import nn

from ..distributed import as_in_first, unwrapped

__all__ = ["momentum_encoder"]


def momentum_encoder(network: nn.Module, head: nn.Module, momentum: float) -> EMAHandler:
    """Ignite's handler; its `ema_model` is the average of the network and of the head, in this order.

    It is in evaluation mode: normalised by the statistics of the network's batches so far, a key does not know which
    other crops are in its step.

    Args:
        network: that is trained, also within `DistributedDataParallel`.
        head: likewise.
        momentum: what is kept of the average in each step; Ignite means what is taken of the network.
    """
    trained = nn.ModuleList([unwrapped(network), as_in_first(head)])
    return EMAHandler(trained, 1 - momentum)
