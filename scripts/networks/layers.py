"""Features of a network as it goes: of any of its layers, pooled and joined into one vector a crop."""

import difflib
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.fx import GraphModule, Node, Tracer

from ..errors import InputError, shorten, some

__all__ = [
    "OUTPUT",
    "POOLINGS",
    "layer_features",
    "layer_map",
    "name_and_pooling",
    "not_as_a_whole",
    "require_modules",
]

OUTPUT = "output"


def layer_features(network: nn.Module, layers: Iterable[str], last: nn.Module | None = None) -> nn.Module:
    """A network's features at some of its layers, each pooled to a vector, joined.

    What comes after the last of these layers does not run. The new network has the modules of the old one themselves,
    under their names, takes the same weights, and can be scripted.

    Args:
        network: any whose way to these layers `torch.fx` can trace, from an image [B, C, *spatial].
        layers: `NAME` or `NAME:POOLING`, of modules, as in `features.denseblock1:mean_sd`, with POOLING as in
            `POOLINGS`, `mean` where there is none; `output` is the network's own. What a layer gives is [B, C,
            *spatial], [B, positions, C], or [B, C], which is taken as it is.
        last: what the joined vectors [B, D] go through, a module of the new network by this name; None: nothing.

    Returns:
        Network whose output is [B, D]; the network itself where its output is all that is asked for.

    Raises:
        InputError: there is no such layer or pooling, or the way to a layer cannot be traced.

    Example:
        >>> from monai.networks.nets import DenseNet121
        >>> network = layer_features(DenseNet121(3, 1, 8).eval(), ["features.denseblock1:mean_sd", "output"])
        >>> network(torch.zeros(2, 1, 32, 32, 32)).shape
        torch.Size([2, 520])
    """
    wanted = [name_and_pooling(layer) for layer in layers]
    if not wanted:
        raise InputError("There are no layers: name one at least, such as output.")
    modules = [name for name, _ in wanted if name != OUTPUT]
    if not modules and last is None:
        return network
    return _without_unused(_pooled(_traced(network, modules), wanted, last), network)


def layer_map(network: nn.Module, layer: str) -> nn.Module:
    """What one layer of a network gives, [B, C, *spatial], as `layer_features` but not pooled.

    Args:
        network: as there.
        layer: name of one of its modules.

    Raises:
        InputError: as there.

    Example:
        >>> from monai.networks.nets import DenseNet121
        >>> layer_map(DenseNet121(3, 1, 8).eval(), "features.denseblock1")(torch.zeros(2, 1, 32, 32, 32)).shape
        torch.Size([2, 256, 8, 8, 8])
    """
    traced = _traced(network, [layer])
    (output,) = traced.graph.find_nodes(op="output")
    output.args = (_node_of(layer, _calls(traced)),)
    return _without_unused(_ended(traced), network)


def mean(features: torch.Tensor) -> torch.Tensor:
    """Over all positions, [B, C]."""
    return _positions(features).mean(2)


def mean_sd(features: torch.Tensor) -> torch.Tensor:
    """Over all positions, their mean and their standard deviation, [B, 2 C]."""
    spread, centre = torch.std_mean(_positions(features), 2, correction=0)
    return torch.cat([centre, spread], 1)


def local(features: torch.Tensor) -> torch.Tensor:
    """Mean over the positions in the middle half of each axis, [B, C]: of the crop's centre. As `mean` of tokens."""
    for axis in range(2, features.dim() if features.dim() > 3 else 2):
        size = features.shape[axis]
        edge = (size - max(size // 2, 2 - size % 2)) // 2
        features = features.narrow(axis, edge, size - 2 * edge)
    return mean(features)


POOLINGS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"mean": mean, "mean_sd": mean_sd, "local": local}


def _positions(features: torch.Tensor) -> torch.Tensor:
    """As [B, C, positions], float32, which sums of many positions need."""
    features = features.float()
    if features.dim() == 3:  # tokens
        return features.transpose(1, 2)
    return features.flatten(2) if features.dim() > 3 else features.unsqueeze(2)


class _LayerTracer(Tracer):
    """Looks no deeper into a network than its layers lie, so that little of it has to be traceable.

    Poolings are no deeper either: a network may be one that `layer_features` made.
    """

    def __init__(self, layers: list[str]) -> None:
        super().__init__(autowrap_functions=tuple(POOLINGS.values()))
        self.layers = layers

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not any(layer.startswith(f"{module_qualified_name}.") for layer in self.layers)


def _traced(network: nn.Module, modules: list[str]) -> GraphModule:
    """A network as a graph, in which its way to these modules is seen."""
    require_modules(network, modules)
    try:
        graph = _LayerTracer(modules).trace(network)
    except Exception as error:  # whatever a forward does with what it takes for a tensor
        raise InputError(
            f"The way of {type(network).__name__} to {some(modules)} cannot be followed ({shorten(error)}): name "
            "layers that are reached without a decision on what the image is like."
        ) from error
    return GraphModule(network, graph, type(network).__name__ + "Features")


def _calls(network: GraphModule) -> dict[Any, Any]:
    """What each module gives, by its name; of a module that is called several times, the last."""
    return {node.target: node for node in network.graph.nodes if node.op == "call_module"}


def _node_of(name: str, calls: dict[Any, Any]) -> Node:
    if not isinstance(calls.get(name), Node):
        raise not_as_a_whole(name)
    return calls[name]


def _pooled(network: GraphModule, wanted: list[tuple[str, str]], last: nn.Module | None) -> GraphModule:
    """The network with its pooled layers in place of its output, and without what comes after them."""
    (output,) = network.graph.find_nodes(op="output")
    calls = {**_calls(network), OUTPUT: output.args[0]}
    vectors = []
    for name, pooling in wanted:
        node = _node_of(name, calls)
        with network.graph.inserting_after(node):  # before what may change it in place
            vectors.append(network.graph.call_function(POOLINGS[pooling], (node,)))
    with network.graph.inserting_before(output):
        output.args = (network.graph.call_function(torch.cat, (vectors, 1)),)
        if last is not None:
            network.add_submodule("last", last)
            output.args = (network.graph.call_module("last", output.args),)
    return _ended(network)


def _ended(network: GraphModule) -> GraphModule:
    """The network without what its output does not need."""
    for node in network.graph.nodes:
        if not (node.op == "placeholder" and node.args):  # what has a default may be None, which its type says
            node.type = None  # TorchScript does not know the name that torch.fx gives to torch.Tensor
    network.graph.eliminate_dead_code()
    network.delete_all_unused_submodules()
    network.recompile()
    return network


def _without_unused(features: GraphModule, network: nn.Module) -> GraphModule:
    """Features that take a network's weights, and leave out those of modules that they do not have."""
    unused = network.state_dict().keys() - features.state_dict().keys()
    features.register_load_state_dict_pre_hook(lambda _, state, *rest: [state.pop(name, None) for name in unused])
    return features


def name_and_pooling(layer: str) -> tuple[str, str]:
    """What `NAME:POOLING` says, or an `InputError` that there is no such pooling."""
    name, _, pooling = layer.partition(":")
    if pooling and pooling not in POOLINGS:
        raise InputError(f"{layer}: there is no pooling {pooling}: give one of {', '.join(POOLINGS)}.")
    return name, pooling or "mean"


def not_as_a_whole(name: str) -> InputError:
    """What is said of a module that is never called, or that gives more than one tensor."""
    return InputError(f"An image does not pass {name} as a whole: name one of the modules in it.")


def require_modules(network: nn.Module, names: list[str]) -> None:
    """Raise an `InputError` that names the first of these modules which a network does not have."""
    known = [name for name, _ in network.named_modules() if name]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3) or known[:3]
            raise InputError(
                f"{type(network).__name__} has no layer {name}: give one of its modules, such as {', '.join(near)}."
            )
