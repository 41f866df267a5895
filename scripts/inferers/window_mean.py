"""A whole scan as one embedding: the mean over windows that cover it, with gradients."""

from collections.abc import Callable

import torch
from torch.utils.checkpoint import checkpoint

from ..transforms.windows import window_starts

__all__ = ["WindowMean"]


class WindowMean:
    """Embeds windows that are spread from edge to edge of a scan, and averages them.

    Gradients run back to the scan's voxels, to each from all windows that hold it. Of what the network computes on the
    way nothing is kept but the embeddings; it runs once more for the gradients, so that memory is that of one batch.

    Args:
        crop_size: of a window, voxels, [X, Y, Z].
        stride: most voxels from one window to the next; above the crop's, some of the scan is in none.
        batch_size: windows that run at once.
        inferer: runs the network on a batch of windows.
    """

    def __init__(self, crop_size: list[int], stride: int, batch_size: int, inferer: Callable) -> None:
        self.crop_size, self.stride, self.batch_size, self.inferer = crop_size, stride, batch_size, inferer

    def __call__(self, scan: torch.Tensor, network: Callable) -> torch.Tensor:
        """Mean embedding [1, D] of a scan [1, C, X, Y, Z] at least as large as a window."""
        size = scan.shape[2:]
        windows = [-((crop - have) // self.stride) + 1 for have, crop in zip(size, self.crop_size, strict=True)]
        starts = window_starts(size, self.crop_size, windows)
        sums = [
            checkpoint(self._sum, scan, starts[i : i + self.batch_size], network, use_reentrant=False)
            for i in range(0, len(starts), self.batch_size)
        ]
        return torch.stack(sums).sum(0) / len(starts)

    def _sum(self, scan: torch.Tensor, starts: list[tuple[int, ...]], network: Callable) -> torch.Tensor:
        places = [
            tuple(slice(at, at + size) for at, size in zip(start, self.crop_size, strict=True)) for start in starts
        ]
        return self.inferer(torch.cat([scan[:, :, x, y, z] for x, y, z in places]), network).sum(0, keepdim=True)
