"""An encoder's weights as the beginning of a classifier: all of them, or a sentence."""

from torch import nn

from .checkpoint import read_weights
from .errors import InputError

__all__ = ["HEAD", "SCRATCH", "UNTRAINED", "check_encoder", "load_backbone"]

UNTRAINED, SCRATCH = "random", "scratch"
HEAD = "class_layers.out."  # the last layer of MONAI's DenseNet, linear


def check_encoder(encoder: str) -> None:
    """Read an encoder's weights, unless it has none, so that a wrong path is named before anything else is done."""
    if encoder not in (SCRATCH, UNTRAINED):
        read_weights(encoder)


def load_backbone(network: nn.Module, encoder: str) -> None:
    """Load every tensor of an encoder into a classifier of the same kind, but for the last layer of either.

    Args:
        network: a MONAI DenseNet, its last layer as drawn.
        encoder: path of the weights; `scratch` and `random` leave the network as it is.

    Raises:
        InputError: names or shapes are not the network's; nothing is loaded then.
    """
    if encoder in (SCRATCH, UNTRAINED):
        return
    weights, own = read_weights(encoder), network.state_dict()
    missing = [name for name in own if name not in weights]
    unexpected = [name for name in weights if name not in own]
    shapes = [name for name in own if name in weights and not name.startswith(HEAD)]
    shapes = [name for name in shapes if weights[name].shape != own[name].shape]
    for names, fault in ((missing, "lack"), (unexpected, "have besides"), (shapes, "have in another shape")):
        if names:
            raise InputError(
                f"The weights in {encoder} do not fit this network: they {fault} {names[0]} ({len(names)} of "
                f"{len(own)} tensors): give encoder the encoder.pt of a run with the same network_def."
            )
    body = {name: tensor for name, tensor in weights.items() if not name.startswith(HEAD)}
    head = {name: tensor for name, tensor in own.items() if name.startswith(HEAD)}
    network.load_state_dict(body | head)
