"""What an engine makes of a batch: what the network takes, and what the loss compares its output with."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.data import MetaTensor

__all__ = ["PrepareBag", "PrepareBatch", "PrepareScan", "PrepareViews"]

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
    """`PrepareBatch` for V views of each crop: images are [B, V, C, X, Y, Z] in the batch.

    The network takes [V B, C, X, Y, Z], the first view of all crops before the second of all, and its other inputs
    V times; targets stay [B, ...].

    Args:
        inputs, target: as for `PrepareBatch`.
        images: keys of the inputs that have views; the first input is one.
    """

    def __init__(
        self, inputs: Sequence[str] = ("image",), target: str | None = None, images: Sequence[str] = ("image",)
    ) -> None:
        super().__init__(inputs, target)
        self.images = images

    def __call__(
        self, batch: Mapping[Hashable, Any], device=None, non_blocking: bool = False, **kwargs: Any
    ) -> Prepared:
        """Inputs and target of a collated batch; further arguments are those of `torch.Tensor.to`."""
        first, target, others, named = super().__call__(batch, device, non_blocking, **kwargs)
        number = first.shape[1]
        inputs = [
            _flat(value) if key in self.images else value.repeat(number, *[1] * (value.ndim - 1))
            for key, value in zip(self.inputs, (first, *others), strict=True)
        ]
        return inputs[0], target, tuple(inputs[1:]), named


class PrepareBag:
    """Gives a network of tiles the `image`, and what of it is `seen`; the loss gets all else, and `seen` too."""

    def __call__(
        self, batch: Mapping[Hashable, Any], device=None, non_blocking: bool = False, **kwargs: Any
    ) -> Prepared:
        """Inputs and target of a collated batch; further arguments are those of `torch.Tensor.to`."""
        image, target, *_ = PrepareBatch()(batch, device, non_blocking, **kwargs)
        return image, target, (target["seen"],), {}


class PrepareScan:
    """Gives an inferer that makes crops of a scan its `image`, and by name all else of its item.

    The image alone goes to the device: where a crop is follows from its affine, which stays behind, and from the rest.
    """

    def __call__(
        self, batch: Mapping[Hashable, Any], device=None, non_blocking: bool = False, **kwargs: Any
    ) -> Prepared:
        """The image, no target, and the rest of a batch of one scan, whose affine crops need."""
        others = {str(key): value for key, value in batch.items() if key != "image"}
        return batch["image"].to(device, non_blocking=non_blocking, **kwargs), None, (), others


def _flat(views: torch.Tensor) -> torch.Tensor:
    return views.transpose(0, 1).flatten(0, 1)


def _to(value: Any, device, **kwargs: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    # a plain tensor: a MetaTensor would carry a stale affine through the network
    return (value.as_tensor() if isinstance(value, MetaTensor) else value).to(device, **kwargs)
