"""A network of crops on images of any size: they are cut into tiles that touch, and what it says is joined."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.inferers import Inferer

__all__ = ["TileInferer"]


class TileInferer(Inferer):
    """Runs a network on each tile by itself, as on crops, so that a tile's output is the same in an image of any size.

    Without gradients, so many tiles run at once as are asked for; with gradients all of them, so that the memory of a
    training is that of its images.

    Args:
        crop_size: voxels of a tile, [X, Y, Z].
        batch_size: tiles that run at once where nothing is trained.
        inferer: runs the network on a batch of tiles.
    """

    def __init__(self, crop_size: Sequence[int], batch_size: int, inferer: Callable) -> None:
        super().__init__()
        self.crop_size, self.batch_size, self.inferer = crop_size, batch_size, inferer

    def __call__(
        self, inputs: torch.Tensor, network: Callable, seen: torch.Tensor | None = None, *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """Output [B, K, px, py, pz] for images [B, C, X, Y, Z] whose size is a multiple of a tile's.

        Args:
            inputs: the images.
            network: whose output for tiles [N, C, x, y, z] is a map [N, K, ...].
            seen: above 0 in what is no padding, [B, 1, X, Y, Z]; tiles that are all padding are not run, and have 0.
            args, kwargs: of the inferer.
        """
        tiles = _cut(torch.as_tensor(inputs), self.crop_size)
        kept = torch.ones(len(tiles), dtype=torch.bool, device=tiles.device)
        if seen is not None:
            kept = (_cut(torch.as_tensor(seen), self.crop_size) > 0).flatten(1).any(1)
        chosen = tiles[kept]
        at_once = len(chosen) if torch.is_grad_enabled() else self.batch_size
        maps = torch.cat([self.inferer(some, network, *args, **kwargs) for some in chosen.split(at_once)])
        every = maps.new_zeros(len(tiles), *maps.shape[1:])
        every[kept] = maps
        return _join(every, len(inputs), _numbers(inputs, self.crop_size))


def _numbers(images: torch.Tensor, tile: Sequence[int]) -> list[int]:
    """Tiles along each axis."""
    return [size // along for size, along in zip(images.shape[2:], tile, strict=True)]


def _cut(images: torch.Tensor, tile: Sequence[int]) -> torch.Tensor:
    """Tiles [B * n, C, x, y, z], of each image in the order of their places."""
    (nx, ny, nz), (x, y, z) = _numbers(images, tile), tile
    parts = images.reshape(*images.shape[:2], nx, x, ny, y, nz, z)
    return parts.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(-1, images.shape[1], x, y, z)


def _join(maps: torch.Tensor, images: int, numbers: list[int]) -> torch.Tensor:
    channels, *size = maps.shape[1:]
    parts = maps.reshape(images, *numbers, channels, *size).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return parts.reshape(images, channels, *(n * along for n, along in zip(numbers, size, strict=True)))
