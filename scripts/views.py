"""Two views of a crop: what they share is what an encoder is to keep."""

import zlib
from collections.abc import Callable, Hashable, Mapping

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Randomizable, Transform
from monai.utils import MAX_SEED

from .distributed import gather
from .errors import InputError
from .location import prepare_crops

__all__ = ["FixedViewsd", "TwoViewsd", "gather_views", "prepare_views"]


class TwoViewsd(Randomizable, Transform):
    """Replace a crop, `image` [C, X, Y, Z], by two views of it, `views` [2, C, X, Y, Z].

    Chance is drawn apart from being applied, as one seed a view: `randomize` draws `seeds`, and a call with
    `randomize=False` makes the views of these seeds, of any crop, as often as wanted.

    Args:
        view: MONAI transform of an image that makes a view; what is random in it is drawn from the seed.
    """

    def __init__(self, view: Callable) -> None:
        self.view, self.seeds = view, None

    def randomize(self, data=None) -> None:
        """Draw the seeds of the two views."""
        self.seeds = self.R.randint(MAX_SEED, size=2, dtype="uint32")

    def __call__(self, data: Mapping[Hashable, torch.Tensor], randomize: bool = True) -> dict:
        if randomize:
            self.randomize()
        return _with_views(data, self.view, self.seeds)


class FixedViewsd(Transform):
    """`TwoViewsd` whose draws depend on the seed and the crop alone: the same ones each time, so they can be cached.

    Args:
        view: as for `TwoViewsd`.
        seed: together with the crop's voxels, draws its views.
    """

    def __init__(self, view: Callable, seed: int = 0) -> None:
        self.view, self.seed = view, seed

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict:
        crop = zlib.crc32(np.ascontiguousarray(data["image"]).tobytes())
        return _with_views(
            data, self.view, np.random.RandomState([self.seed, crop]).randint(MAX_SEED, size=2, dtype="uint32")
        )


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


def _with_views(data: Mapping, view: Callable, seeds) -> dict:
    rest = {key: value for key, value in data.items() if key != "image"}
    return rest | {"views": torch.stack([_view(data["image"], view, int(seed)) for seed in seeds])}


def _view(image: torch.Tensor, view: Callable, seed: int) -> torch.Tensor:
    if isinstance(view, Randomizable):
        view.set_random_state(seed)
    changed = view(image.clone())  # RandCoarseDropout and RandCoarseShuffle write into the image that they are given
    return changed.as_tensor() if isinstance(changed, MetaTensor) else changed
