"""Sets of layers by name: those that a network has, and one of them."""

import logging
from collections.abc import Mapping

from torch import nn

from ..errors import InputError
from .layers import OUTPUT, name_and_pooling, require_modules

__all__ = ["layer_set", "sets_of_network"]

logger = logging.getLogger(__name__)


def layer_set(layer_sets: Mapping[str, list[str]], name: str) -> list[str]:
    """Layers of the set of that name, as `layer_features` takes them.

    Raises:
        InputError: there is no such set.
    """
    if name not in layer_sets:
        raise InputError(f"There are no layers {name}: give one of {', '.join(layer_sets)}, or add them to layer_sets.")
    return layer_sets[name]


def sets_of_network(network: nn.Module, layer_sets: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Sets of those layers that a network has, its `output` always among them; a warning names the others.

    Raises:
        InputError: a set is no list of layers, or names a pooling that there is not.
    """
    found, faults = {OUTPUT: [OUTPUT]}, dict[str, InputError]()
    for name, layers in _checked(layer_sets).items():
        modules = [module for module, _ in map(name_and_pooling, layers) if module != OUTPUT]
        try:
            require_modules(network, modules)
            found[name] = layers
        except InputError as fault:
            faults[name] = fault
    if faults:
        logger.warning(f"Left out of layer_sets: {', '.join(faults)}. {next(iter(faults.values()))}")
    return found


def _checked(layer_sets: Mapping[str, list[str]]) -> Mapping[str, list[str]]:
    if not isinstance(layer_sets, Mapping):
        raise InputError(f"layer_sets is {layer_sets}: give lists of layers by name, such as {{'output': ['output']}}.")
    for name, layers in layer_sets.items():
        if not layers or not isinstance(layers, (list, tuple)):
            raise InputError(f"layer_sets has {layers} as {name}: give a list of layers, such as ['output'].")
    return layer_sets
