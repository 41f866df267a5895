"""A linear classifier of a frozen encoder's features, kept as one network with the encoder."""

import logging
from collections.abc import Iterable

from ..atomic import save_atomically
from ..data.folds import SubjectFolds
from ..networks.linear_classifier import LinearClassifier
from ..probes.class_probe import ClassProbe
from ..probes.logistic import LogisticProbe
from .cross_validation import Probes
from .features import Features, FrozenEncoder

__all__ = ["fit_linear_head", "keep_as_one"]

logger = logging.getLogger(__name__)


def fit_linear_head(
    network: LinearClassifier,
    encoder: FrozenEncoder,
    features: Features,
    folds: SubjectFolds,
    fold: int,
    share: float,
    paths: Iterable[str],
) -> None:
    """Fit a `LogisticProbe` to the features of a fold's training crops, and save encoder and probe as one network.

    Args:
        network: becomes both.
        encoder: whose features are classified.
        features: of `crop_features` with this encoder.
        folds, fold, share: which subjects train and validate.
        paths: of the files with the network's flat state_dict.

    Raises:
        InputError: all that it trains on has one label, or scikit-learn is not installed.
    """
    keep_as_one(network, encoder, Probes(features, folds, encoder.name).fit(fold, share), paths)


def keep_as_one(
    network: LinearClassifier, encoder: FrozenEncoder, probe: LogisticProbe | ClassProbe, paths: Iterable[str]
) -> None:
    """Save an encoder and a probe of its features as one network.

    Args:
        network: becomes both.
        encoder: whose features the probe was fitted to.
        probe: a linear classifier.
        paths: of the files with the network's flat state_dict.
    """
    logger.info(f"A linear classifier was fitted, with a penalty of {probe.penalty:g}.")
    network.take(encoder.network, probe)
    weights = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
    for path in paths:
        save_atomically(weights, path)
