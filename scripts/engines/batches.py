"""What a trainer makes of a batch of crops: the network's input, and what the loss compares it with."""

from collections.abc import Mapping

import torch
from monai.data import MetaTensor

from ..distributed import gather
from ..errors import InputError

__all__ = ["gather_views", "prepare_crops", "prepare_views"]


def prepare_crops(batch: Mapping, device=None, non_blocking: bool = False, **kwargs) -> tuple[torch.Tensor, dict]:
    """Split a batch of crops into the network's input and what the loss compares it with.

    Args:
        batch: collated crops with `image` [B, C, X, Y, Z], `location` [B, 3] in mm, `scan` (B numbers of scans), and
            `voxel` [B, 3] if need be.
        device: where to; `non_blocking` and further arguments are those of `torch.Tensor.to`.

    Returns:
        Images [B, C, X, Y, Z], and the others as targets.
    """
    tensors = {key: torch.as_tensor(batch[key]) for key in ("image", "location", "scan", "voxel") if key in batch}
    target = {key: tensor.to(device, non_blocking=non_blocking, **kwargs) for key, tensor in tensors.items()}
    image = target.pop("image")
    # a plain tensor: a MetaTensor would carry a stale affine through the network
    return image.as_tensor() if isinstance(image, MetaTensor) else image, target


def prepare_views(batch: Mapping, device=None, non_blocking: bool = False, **kwargs) -> tuple[torch.Tensor, dict]:
    """`prepare_crops` for two views of each crop.

    Args:
        batch: collated crops with `views` [B, 2, C, X, Y, Z], `location` [B, 3] and `scan`.
        device: where to; `non_blocking` and further arguments are those of `torch.Tensor.to`.

    Returns:
        Views [2 B, C, X, Y, Z], the first of all crops before the second of all; and targets [B, ...].
    """
    views = batch["views"].transpose(0, 1).flatten(0, 1)
    return prepare_crops(dict(batch) | {"image": views}, device, non_blocking, **kwargs)


def gather_views(embedding: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeddings of the first and of the second views of all processes' crops, two [N, D], from [2 B, D] of one's.

    Raises:
        InputError: there is one crop, which nothing can be told apart from.
    """
    first, second = map(gather, embedding.chunk(2))
    if len(first) < 2:
        raise InputError(
            "A step has a single crop, with nothing to compare it with: raise batch_size or crops_per_volume."
        )
    return first, second
