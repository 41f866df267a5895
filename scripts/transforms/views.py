"""Two views of a crop: what they share is what an encoder is to keep."""

import zlib
from collections.abc import Callable, Hashable, Mapping

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Randomizable, Transform
from monai.utils import MAX_SEED

__all__ = ["FixedViewsd", "TwoViewsd"]


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


def _with_views(data: Mapping, view: Callable, seeds) -> dict:
    rest = {key: value for key, value in data.items() if key != "image"}
    return rest | {"views": torch.stack([_view(data["image"], view, int(seed)) for seed in seeds])}


def _view(image: torch.Tensor, view: Callable, seed: int) -> torch.Tensor:
    if isinstance(view, Randomizable):
        view.set_random_state(seed)
    changed = view(image.clone())  # RandCoarseDropout and RandCoarseShuffle write into the image that they are given
    return changed.as_tensor() if isinstance(changed, MetaTensor) else changed
