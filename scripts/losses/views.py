"""Embeddings of views, of all processes."""

import torch

from ..distributed import gather
from ..errors import InputError

__all__ = ["gather_views"]


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
