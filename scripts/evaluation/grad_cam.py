"""Grad-CAM of a network of patches: where a classifier of their mean would look."""

import copy
from collections.abc import Callable

import torch
from monai.visualize import GradCAM
from torch import nn

__all__ = ["GradCAMOfPatches"]


class MeanOfPatches(nn.Module):
    """Logits of tiles [B, L]: the mean over a tile's patches of what a network's classifier says of each."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        """Of tiles [B, C, *spatial]; what attends does not count."""
        return self.network(tiles)[:, :-1].flatten(2).mean(2)


class GradCAMOfPatches:
    """MONAI's Grad-CAM, in a network's place: a map of tiles, one value a patch.

    The classifier is linear and its gradient everywhere the same, so that maps of tiles join to that of their image.
    Source: Selvaraju et al., arXiv 1610.02391, equations 1 and 2, of the patches, which are the last layer with places.

    Args:
        network: as `InteractiveMIL`, whose `pool` gives the patches; a copy of it is used.
    """

    def __init__(self, network: nn.Module) -> None:
        self.cam = GradCAM(MeanOfPatches(copy.deepcopy(network)), "network.pool")

    def of_class(self, row: int) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function of tiles [B, C, *spatial] whose output is the map of one of their logits, [B, 1, *patches]."""

        def heat(tiles: torch.Tensor) -> torch.Tensor:
            with torch.enable_grad():
                return self.cam.compute_map(tiles, class_idx=row).detach()

        return heat
