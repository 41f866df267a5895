"""An encoder's view of a whole scan: embeddings of crops on a grid."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import torch
from monai.data import list_data_collate
from monai.inferers import Inferer
from monai.transforms import Compose, SpatialCrop

from ..engines.batches import PrepareBatch
from ..progress import with_progress

__all__ = ["GridInferer", "grid_affine", "grid_centres"]


class GridInferer(Inferer):
    """Embeds crops on a regular grid; MONAI's `SlidingWindowInferer` needs networks with an image as output.

    Args:
        crop_size: voxels, [X, Y, Z].
        stride: voxels from one crop to the next.
        batch_size: crops that run at once.
        inferer: runs the network on a batch of crops.
        crop_transforms: of training, where the network takes more of a crop than its image.
        prepare_batch: says what the network takes of a batch of crops, as in training.
        images: keys of the scan's images in one grid, all of which are cropped.
    """

    def __init__(
        self,
        crop_size: list[int],
        stride: int,
        batch_size: int,
        inferer: Callable,
        crop_transforms: Sequence[Callable] = (),
        prepare_batch: Callable | None = None,
        images: Sequence[str] = ("image",),
    ) -> None:
        super().__init__()
        self.crop_size, self.stride, self.batch_size, self.inferer = crop_size, stride, batch_size, inferer
        self.crop_transform, self.prepare_batch = Compose(crop_transforms), prepare_batch or PrepareBatch()
        self.images = images

    def __call__(self, inputs: torch.Tensor, network: Callable, *args: Any, **scan: Any) -> torch.Tensor:
        """Embeddings [1, D, gx, gy, gz] of a scan [1, C, X, Y, Z] at least as large as a crop.

        Args:
            inputs: the scan.
            network: whose output for crops [B, C, x, y, z], and what else it takes, is [B, D].
            args: unused.
            scan: what else the crop transforms need of the scan's item, [1, ...] each, such as its `origin`.
        """
        if len(inputs) != 1:
            raise ValueError(f"GridInferer takes one scan at a time, not {len(inputs)}: set the batch size to 1.")
        starts = [
            range(0, size - crop + 1, self.stride) for size, crop in zip(inputs.shape[2:], self.crop_size, strict=True)
        ]
        embeddings = self.at(list(product(*starts)), inputs, network, **scan)
        return embeddings.T.reshape(1, -1, *map(len, starts))

    def at(
        self, corners: Sequence[tuple[int, ...]], inputs: torch.Tensor, network: Callable, **scan: Any
    ) -> torch.Tensor:
        """Embeddings [N, D] of crops that begin at N voxels; else as for a call."""
        item = {"image": inputs[0]} | {key: value[0] for key, value in scan.items()}
        parts = []
        for first in with_progress(range(0, len(corners), self.batch_size), "Embedding batch"):
            crops = [self._crop(item, corner) for corner in corners[first : first + self.batch_size]]
            image, _, others, named = self.prepare_batch(list_data_collate(crops), inputs.device)
            parts.append(self.inferer(image, network, *others, **named))
        return torch.cat(parts)

    def _crop(self, item: dict, corner: tuple[int, ...]) -> dict:
        cut = SpatialCrop(
            roi_start=corner, roi_end=[at + size for at, size in zip(corner, self.crop_size, strict=True)]
        )
        return self.crop_transform({**item, **{key: cut(item[key]) for key in self.images}})


def grid_affine(affine: torch.Tensor, crop_size: list[int], stride: int) -> torch.Tensor:
    """Affine of the grid whose points are crop centres: grid index -> mm, [4, 4] float64, from that of the scan.

    Example:
        >>> grid_affine(torch.eye(4), [32, 32, 32], stride=16)[0]  # x: a step of 16 mm, from the first crop's centre
        tensor([16.0000,  0.0000,  0.0000, 15.5000], dtype=torch.float64)
    """
    steps = torch.diag(torch.tensor([stride, stride, stride, 1], dtype=torch.float64))
    steps[:3, 3] = (torch.tensor(crop_size, dtype=torch.float64) - 1) / 2
    return torch.as_tensor(affine, dtype=torch.float64) @ steps


def grid_centres(affine: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Centres in mm, [gx * gy * gz, 3], of a grid's points, in the order of their embeddings."""
    points = torch.cartesian_prod(*(torch.arange(size, dtype=torch.float64) for size in shape)).reshape(-1, 3)
    return points @ affine[:3, :3].T + affine[:3, 3]
