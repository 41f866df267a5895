"""What an image that was made has to beat: the mean image of training subjects, and their intensities' regression."""

import os
from pathlib import Path

import torch
from torch.nn.functional import interpolate

__all__ = ["TranslationBaselines", "read_baselines"]


class TranslationBaselines:
    """Two images that are made without a network.

    The mean image has at each place of the body's box the mean of training subjects, at the same shares of the way from
    one side of their boxes to the other. The regression has the mean target of training voxels whose source is in the
    same of K bins.

    Args:
        mean_image: [X, Y, Z], on any grid.
        edges: of the bins, between the first and the last, [K - 1].
        means: of the targets in each, [K].
    """

    def __init__(self, mean_image: torch.Tensor, edges: torch.Tensor, means: torch.Tensor) -> None:
        self.mean_image, self.edges, self.means = mean_image, edges, means

    def images(self, scan: torch.Tensor) -> torch.Tensor:
        """The mean image in the box of a prepared scan [1, X, Y, Z], and what the regression makes of it: [2, ...]."""
        mean = interpolate(self.mean_image[None, None], scan.shape[1:], mode="trilinear")[0]
        return torch.cat([mean, self.means[torch.bucketize(scan.contiguous(), self.edges)]])


def read_baselines(path: str | os.PathLike) -> TranslationBaselines | None:
    """The baselines of a training; None where it has none, as one of scans that are not of the same places."""
    if not Path(path).is_file():
        return None
    return TranslationBaselines(**torch.load(path, map_location="cpu", weights_only=True))
