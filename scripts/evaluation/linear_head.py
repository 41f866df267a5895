"""A linear classifier of a frozen encoder's embeddings, folded into the network that makes them."""

import logging
from collections.abc import Iterable

import torch

from ..atomic import save_atomically
from ..data.folds import SubjectFolds
from ..probes.logistic import LogisticProbe
from .cross_validation import Probes
from .features import Features, FrozenEncoder

__all__ = ["fit_linear_head", "fold_into"]

logger = logging.getLogger(__name__)


def fit_linear_head(
    encoder: FrozenEncoder,
    features: Features,
    folds: SubjectFolds,
    fold: int,
    share: float,
    paths: Iterable[str],
    last_layer: str,
) -> None:
    """Fit a `LogisticProbe` to the embeddings of a fold's training crops, and save encoder and probe as one network.

    Args:
        encoder: whose last layer is linear.
        features: of `crop_features` with this encoder.
        folds, fold, share: which subjects train and validate.
        paths: of the files with the flat state_dict of both.
        last_layer: name of the encoder's last module, such as `class_layers.out`.

    Raises:
        InputError: all that it trains on has one label, or scikit-learn is not installed.
    """
    probe = Probes(features, folds, encoder.name).fit(fold, share)
    logger.info(f"A linear classifier was fitted, with a penalty of {probe.penalty:g}.")
    state = {name: tensor.cpu() for name, tensor in encoder.network.state_dict().items()}
    weights = fold_into(state, probe, last_layer)
    for path in paths:
        save_atomically(weights, path)


def fold_into(encoder: dict[str, torch.Tensor], probe: LogisticProbe, last_layer: str) -> dict[str, torch.Tensor]:
    """Weights of a network with one output that are those of an encoder and of a probe behind it.

    The last layer of the encoder is linear, and so is the probe: what both do is one linear layer.

    Args:
        encoder: state_dict of a network with D outputs.
        probe: of embeddings [N, D].
        last_layer: name of the module of that network that makes its outputs.

    Returns:
        state_dict of the same network with one output, the probe's logit.
    """
    weight, bias = (encoder[f"{last_layer}.{name}"].double() for name in ("weight", "bias"))
    folded = {"weight": (probe.direction @ weight)[None], "bias": (probe.direction @ bias + probe.intercept)[None]}
    return dict(encoder) | {f"{last_layer}.{name}": tensor.float() for name, tensor in folded.items()}
