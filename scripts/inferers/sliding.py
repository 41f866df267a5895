"""A network of voxels in windows all over a scan, each of which an inferer of its own runs."""

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SlidingWindowInferer

__all__ = ["SlidingInferer"]


class SlidingInferer(SlidingWindowInferer):
    """MONAI's `SlidingWindowInferer`, with an inferer that runs the network on a batch of windows.

    Where windows overlap, their outputs are averaged, those with the voxel near their centre counting more.

    Args:
        crop_size: voxels of a window, [X, Y, Z].
        overlap: of neighbouring windows, as a share of their size, from 0 to below 1.
        batch_size: windows that run at once.
        inferer: as in training, so that windows are run in the same precision.
    """

    def __init__(self, crop_size: list[int], overlap: float, batch_size: int, inferer: Callable) -> None:
        super().__init__(crop_size, batch_size, overlap, mode="gaussian")
        self.inferer = inferer

    def __call__(self, inputs: torch.Tensor, network: Callable, *args: Any, **kwargs: Any) -> Any:
        """The output [B, K, X, Y, Z] of the network for a scan [B, C, X, Y, Z]."""

        def windows(crops: torch.Tensor, *others: Any, **named: Any) -> torch.Tensor:
            return self.inferer(crops, network, *others, **named)

        return super().__call__(inputs, windows, *args, **kwargs)
