"""A network that says, beside its output, what its layers know."""

from collections.abc import Iterable

import torch
from torch import nn

from .layers import OUTPUT, POOLINGS, name_and_pooling, not_as_a_whole, require_modules

__all__ = ["LayerReader"]


class LayerReader(nn.Module):
    """Runs a network once for its output and the pooled features of some layers.

    `layer_features` makes a network that ends at its last layer; this one keeps the output too, of any network, and
    need not trace it.

    Args:
        network: whose output is [B, D]; it stays as it is.
        layers: `NAME:POOLING`, as for `layer_features`.

    Raises:
        InputError: there is no such layer or pooling; or, of the first batch, an image does not pass it as a whole.

    Attributes:
        widths: of what the last batch gave, the output's first.
    """

    def __init__(self, network: nn.Module, layers: Iterable[str]) -> None:
        super().__init__()
        self.network, self.wanted = network, [name_and_pooling(layer) for layer in layers]
        self.modules_read = [layer for layer in self.wanted if layer[0] != OUTPUT]
        require_modules(network, [name for name, _ in self.modules_read])
        self.widths: list[int] = []

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Output and features joined, [B, D + ...]."""
        seen: dict[tuple[str, str], torch.Tensor] = {}
        hooks = [self._hook(name, pooling, seen) for name, pooling in self.modules_read]
        try:
            output = self.network(*inputs)
        finally:
            for hook in hooks:
                hook.remove()
        seen |= {layer: POOLINGS[layer[1]](output) for layer in self.wanted if layer[0] == OUTPUT}
        if unseen := [name for name, pooling in self.wanted if (name, pooling) not in seen]:
            raise not_as_a_whole(unseen[0])
        parts = [output, *(seen[layer] for layer in self.wanted)]
        self.widths = [part.shape[1] for part in parts]
        return torch.cat([part.float() for part in parts], 1)

    def _hook(self, name: str, pooling: str, seen: dict):
        def pool(module: nn.Module, inputs, output) -> None:
            if not isinstance(output, torch.Tensor):
                raise not_as_a_whole(name)
            seen[name, pooling] = POOLINGS[pooling](output)

        return self.network.get_submodule(name).register_forward_hook(pool)
