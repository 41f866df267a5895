"""Dropout at inference: the layers that draw are in training mode, and nothing else is."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from torch import nn

from ..errors import InputError

__all__ = ["active_dropout", "require_dropout", "require_trained_dropout"]

logger = logging.getLogger(__name__)

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


def require_trained_dropout(network: nn.Module, dropout: float, weights: str | PathLike) -> nn.Module:
    """A network as it is, if it has the dropout with which its weights were trained: passes with another say nothing.

    Args:
        network: with dropout layers of torch.
        dropout: with which it was made.
        weights: path, beside which is the config.json of their training. Where that does not have a dropout, a warning
            says so.

    Raises:
        InputError: the training had no dropout, or another; or the network has none.
    """
    path = Path(weights).parent / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    trained = settings.get("dropout")
    if trained is None:
        logger.warning(f"{path} does not say with which dropout {weights} was trained: {dropout} is used (--dropout).")
    elif trained == 0:
        raise InputError(
            f"{weights} was trained without dropout, as {path} says, and to drop what it never missed says nothing of "
            "its certainty: train one with a --dropout above 0, or leave mc_dropout.json out."
        )
    elif trained != dropout:
        raise InputError(
            f"dropout is {dropout}, but {weights} was trained with {trained}, as {path} says: give --dropout {trained}."
        )
    require_dropout(network)
    return network


def _dropout_layers(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, DROPOUT) and module.p > 0]
