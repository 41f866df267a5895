"""What a classifier says of overlapping windows, as a map."""

from collections.abc import Callable

import torch
from monai.inferers import Inferer, SlidingWindowInferer

from ..errors import InputError

__all__ = ["WindowInferer"]


class WindowInferer(Inferer):
    """`SlidingWindowInferer` for a network with one logit a crop, or one a class: a window's voxels all have them.

    Where windows overlap, their logits are averaged, those with the voxel near their centre counting more.

    Args:
        crop_size: voxels, [X, Y, Z].
        overlap: of neighbouring windows, as a share of their size.
        batch_size: windows that run at once.
        inferer: runs the network on a batch of windows.

    Raises:
        InputError: the overlap is no share.
    """

    def __init__(self, crop_size: list[int], overlap: float, batch_size: int, inferer: Callable) -> None:
        super().__init__()
        if not isinstance(overlap, (int, float)) or not 0 <= overlap < 1:
            raise InputError(f"overlap is {overlap}: give a share of the crops' size, from 0 to below 1.")
        self.inferer, self.crop_size = inferer, crop_size
        self.windows = SlidingWindowInferer(crop_size, batch_size, overlap, mode="gaussian")

    def __call__(self, inputs: torch.Tensor, network: Callable, *args, **kwargs) -> torch.Tensor:
        """Logits [1, K, X, Y, Z] of a scan [1, C, X, Y, Z], by a network whose output is [B, K]."""
        scores = self.windows(inputs, lambda crops: self._spread(self.inferer(crops, network, *args, **kwargs)))
        assert isinstance(scores, torch.Tensor)  # as the windows' are; it could be a tuple or dict of them
        return scores

    def _spread(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[:, :, None, None, None].repeat(1, 1, *self.crop_size)
