"""A linear classifier on embeddings, folded into the network that makes them."""

import torch

from .logistic_probe import LogisticProbe

__all__ = ["fold_into"]

LAST = "class_layers.out"


def fold_into(encoder: dict[str, torch.Tensor], probe: LogisticProbe) -> dict[str, torch.Tensor]:
    """Weights of a DenseNet with one output, that are those of an encoder and of a probe behind it.

    The last layer of the encoder is linear, and so is the probe: what both do is one linear layer.

    Args:
        encoder: state_dict of a MONAI DenseNet with D outputs.
        probe: of embeddings [N, D].

    Returns:
        state_dict of the same network with `out_channels` 1, whose output is the probe's logit.
    """
    direction, intercept = probe.linear()
    weight, bias = (encoder[f"{LAST}.{name}"].double() for name in ("weight", "bias"))
    folded = {"weight": (direction @ weight)[None], "bias": (direction @ bias + intercept)[None]}
    return dict(encoder) | {f"{LAST}.{name}": tensor.float() for name, tensor in folded.items()}
