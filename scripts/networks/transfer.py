"""Pretrained weights as the beginning of another network: what fits is loaded and told, too little is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike

from torch import Tensor, nn

from ..errors import InputError
from .weights import read_weights

__all__ = ["SCRATCH", "UNTRAINED", "WeightTransfer", "check_encoder", "load_backbone", "load_parts", "transfer_weights"]

UNTRAINED, SCRATCH = "untrained", "scratch"
AS_DRAWN = (UNTRAINED, "random", SCRATCH)  # in place of weights; random is another word for untrained
OF_UNET = "the encoder.pt of a pretraining with unet_encoder.json"


@dataclass
class WeightTransfer:
    """Names of tensors, as they are in the network that weights are loaded into.

    Attributes:
        loaded: tensors of the network that have the weights now.
        missing: tensors of the network that stay as they were drawn.
        unexpected: weights that the network has no tensor for.
        reshaped: weights whose tensor in the network has another shape; it stays as it was drawn.
    """

    loaded: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "; ".join(_count(kind, names) for kind, names in vars(self).items())


def transfer_weights(
    network: nn.Module, weights: str | PathLike | Mapping[str, Tensor], prefix: str = "", at_least: float = 0.9
) -> WeightTransfer:
    """Load into a network those weights whose name and shape it has.

    `load_state_dict(strict=False)` and MONAI's `copy_model_state` say nothing where nothing fits.

    Args:
        network: any.
        weights: path of an encoder.pt or model.pt, or a flat state_dict.
        prefix: what the network's names have before those of the weights, such as `encoder.`.
        at_least: share of the weights that have to find their place; one has to in any case.

    Returns:
        What was loaded and what was not; as a string, in one line.

    Raises:
        InputError: fewer find their place; nothing is loaded then.
    """
    state = weights if isinstance(weights, Mapping) else read_weights(weights)
    moved = {prefix + name: tensor for name, tensor in state.items()}
    found = _compare(network, moved)
    if len(found.loaded) < max(1, at_least * len(moved)):
        raise InputError(
            f"Only {len(found.loaded)} of {len(moved)} weights fit this network: give one whose tensors have their "
            f"shapes and, but for a prefix, their names. {found}."
        )
    network.load_state_dict({name: moved[name] for name in found.loaded}, strict=False)
    return found


def check_encoder(encoder: str, parts: Sequence[str] = ()) -> None:
    """Read an encoder's weights, unless it has none, so that wrong ones are named before anything else is done.

    Args:
        encoder: path of the weights, or one of `AS_DRAWN`.
        parts: names of the modules that are the encoder, as for `load_parts`.

    Raises:
        InputError: they cannot be read, or have nothing of one of the parts.
    """
    if encoder in AS_DRAWN:
        return
    weights = read_weights(encoder)
    if lacking := [part for part in parts if not any(name.startswith(f"{part}.") for name in weights)]:
        raise InputError(
            f"The weights in {encoder} are no encoder of this network: they have nothing of {lacking[0]}: give encoder "
            f"{OF_UNET}."
        )


def load_backbone(network: nn.Module, encoder: str, last_layer: str) -> None:
    """Load every tensor of an encoder into a classifier of the same kind, but for the last layer of either.

    Args:
        network: the classifier, its last layer as drawn.
        encoder: path of the weights; `scratch` and `untrained` leave the network as it is.
        last_layer: name of either's last module, such as `class_layers.out`.

    Raises:
        InputError: names or shapes are not the network's; nothing is loaded then.
    """
    if encoder in (SCRATCH, UNTRAINED):
        return
    weights = read_weights(encoder)
    found = _compare(network, weights)
    reshaped = [name for name in found.reshaped if not name.startswith(f"{last_layer}.")]
    faults = {"lack": found.missing, "have besides": found.unexpected, "have in another shape": reshaped}
    for fault, names in faults.items():
        if names:
            raise InputError(
                f"The weights in {encoder} do not fit this network: they {fault} {names[0]} ({len(names)} of "
                f"{len(network.state_dict())} tensors): give encoder the encoder.pt of a run with the same network_def."
            )
    transfer_weights(network, {name: weights[name] for name in weights if not name.startswith(f"{last_layer}.")})


def load_parts(network: nn.Module, encoder: str, parts: Sequence[str]) -> None:
    """Load the tensors of an encoder that is part of a network, such as the down path of a U-Net; all, or none.

    Args:
        network: all else of it stays as it was drawn.
        encoder: path of the weights, whose names are the network's; what they have besides is not used; or one of
            `AS_DRAWN`, which leave the network as it is.
        parts: names of the modules that are the encoder.

    Raises:
        InputError: a tensor of these is not there or has another shape; nothing is loaded then.
    """
    if encoder in AS_DRAWN:
        return
    within = tuple(f"{part}." for part in parts)
    own = {name: tensor for name, tensor in network.state_dict().items() if name.startswith(within)}
    weights = read_weights(encoder)
    faults = {
        "lack": [name for name in own if name not in weights],
        "have in another shape": [name for name in own if name in weights and weights[name].shape != own[name].shape],
    }
    for fault, names in faults.items():
        if names:
            raise InputError(
                f"The weights in {encoder} are no encoder of this network: they {fault} {names[0]} ({len(names)} of "
                f"{len(own)} tensors): give encoder {OF_UNET}."
            )
    transfer_weights(network, {name: weights[name] for name in own})


def _compare(network: nn.Module, weights: Mapping[str, Tensor]) -> WeightTransfer:
    own, found = network.state_dict(), WeightTransfer()
    for name in own:
        if name not in weights:
            found.missing.append(name)
        elif weights[name].shape == own[name].shape:
            found.loaded.append(name)
        else:
            found.reshaped.append(name)
    found.unexpected = [name for name in weights if name not in own]
    return found


def _count(kind: str, names: list[str]) -> str:
    some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {kind}" + (f" ({some})" if names else "")
