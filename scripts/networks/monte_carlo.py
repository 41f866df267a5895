"""Dropout at inference: the layers that draw are in training mode, and nothing else is."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from ..errors import InputError

__all__ = ["active_dropout", "require_dropout"]

DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


@contextmanager
def active_dropout(network: nn.Module) -> Iterator[None]:
    """Have a network draw which of its units it drops, while its other layers, such as batch norm, are in eval mode.

    Afterwards, and after an exception too, each of its modules is in the mode in which it was.

    Source: Gal and Ghahramani, "Dropout as a Bayesian approximation", ICML 2016 (arXiv 1506.02142).

    Args:
        network: with dropout layers of torch. What it drops by `torch.nn.functional` stays as in eval mode.

    Raises:
        InputError: it has none that drops anything.

    Example:
        >>> network = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5))
        >>> with active_dropout(network):
        ...     [layer.training for layer in network]
        [False, True]
    """
    require_dropout(network)
    modes = {module: module.training for module in network.modules()}
    try:
        network.eval()
        for layer in _dropout_layers(network):
            layer.train()
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def require_dropout(network: nn.Module) -> None:
    """Raise an `InputError` unless a network has a dropout layer whose probability is above 0."""
    if not _dropout_layers(network):
        raise InputError(
            "The network has no dropout, and all passes of Monte-Carlo dropout would be the same: train one with a "
            "dropout above 0, or leave Monte-Carlo dropout out."
        )


def _dropout_layers(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, DROPOUT) and module.p > 0]
