"""What an engine makes of a batch: what the network takes, and what the loss compares its output with."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.data import MetaTensor

from ..distributed import gather
from ..errors import InputError

__all__ = ["PrepareBatch", "PrepareViews", "gather_views"]

# as MONAI's engines take it: the first input, the target, further inputs by position and by name
Prepared = tuple[torch.Tensor, Any, tuple, dict]


class PrepareBatch:
    """Splits a batch into what the network takes and the target, on the device where both are needed.

    Args:
        inputs: keys of what the network takes, in the order of its arguments.
        target: key of what the loss takes; None: all of the batch but the inputs, as a dictionary.
    """

    def __init__(self, inputs: Sequence[str] = ("image",), target: str | None = None) -> None:
        self.inputs, self.target = inputs, target

    def __call__(
        self, batch: Mapping[Hashable, Any], device=None, non_blocking: bool = False, **kwargs: Any
    ) -> Prepared:
        """Inputs and target of a collated batch; further arguments are those of `torch.Tensor.to`."""
        moved = {key: _to(value, device, non_blocking=non_blocking, **kwargs) for key, value in batch.items()}
        first, *others = (moved[key] for key in self.inputs)
        rest = {key: value for key, value in moved.items() if key not in self.inputs}
        return first, rest if self.target is None else moved[self.target], tuple(others), {}


class PrepareViews(PrepareBatch):
    """`PrepareBatch` for V views of each crop: the first input is [B, V, C, X, Y, Z] in the batch.

    The network takes [V B, C, X, Y, Z], the first view of all crops before the second of all, and its other inputs
    V times; targets stay [B, ...].
    """

    def __call__(
        self, batch: Mapping[Hashable, Any], device=None, non_blocking: bool = False, **kwargs: Any
    ) -> Prepared:
        """Inputs and target of a collated batch; further arguments are those of `torch.Tensor.to`."""
        views, target, others, named = super().__call__(batch, device, non_blocking, **kwargs)
        repeated = tuple(other.repeat(views.shape[1], *[1] * (other.ndim - 1)) for other in others)
        return views.transpose(0, 1).flatten(0, 1), target, repeated, named


def gather_views(embedding: torch.Tensor, number: int = 2) -> tuple[torch.Tensor, ...]:
    """Embeddings of each view of all processes' crops, [N, D] a view, from [V B, D] of one's.

    Args:
        embedding: of the first view of all crops, then of the second of all, ...
        number: V, of views.

    Raises:
        InputError: there is one crop, which nothing can be told apart from.
    """
    views = tuple(map(gather, embedding.chunk(number)))
    if len(views[0]) < 2:
        raise InputError(
            "A step has a single crop, with nothing to compare it with: raise batch_size or crops_per_volume."
        )
    return views


def _to(value: Any, device, **kwargs: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    # a plain tensor: a MetaTensor would carry a stale affine through the network
    return (value.as_tensor() if isinstance(value, MetaTensor) else value).to(device, **kwargs)
