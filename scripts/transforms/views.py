"""Views of a crop: what they share is what an encoder is to keep."""

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable
from monai.utils import MAX_SEED

__all__ = ["Viewsd", "view_of"]


class Viewsd(Randomizable, MapTransform):
    """Replace a crop [C, X, Y, Z] by V views of it, [V, C, X, Y, Z].

    Chance is drawn apart from being applied, as one seed a view: `randomize` draws `seeds`, and a call with
    `randomize=False` makes the views of these seeds, of any crop, as often as wanted.

    Args:
        keys: of the crops, all of which are changed alike.
        views: V MONAI transforms of an image, each of which makes a view; what is random in one is drawn from its seed.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(self, keys: KeysCollection, views: Sequence[Callable], allow_missing_keys: bool = False) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.views, self.seeds = views, np.zeros(len(views), "uint32")

    def randomize(self, data=None) -> None:
        """Draw the seeds of the views."""
        self.seeds = self.R.randint(MAX_SEED, size=len(self.views), dtype="uint32")

    def __call__(self, data: Mapping[Hashable, torch.Tensor], randomize: bool = True) -> dict:
        if randomize:
            self.randomize()
        return {**data, **{key: self._views(data[key]) for key in self.key_iterator(data)}}

    def _views(self, image: torch.Tensor) -> torch.Tensor:
        return torch.stack([view_of(view, image, seed) for view, seed in zip(self.views, self.seeds, strict=True)])


def view_of(view: Callable, image: torch.Tensor, seed: int) -> torch.Tensor:
    """What a MONAI transform makes of an image [C, X, Y, Z], a plain tensor; what is random is drawn from the seed."""
    if isinstance(view, Randomizable):
        view.set_random_state(int(seed))
    changed = view(image.clone())  # RandCoarseDropout and RandCoarseShuffle write into the image that they are given
    return changed.as_tensor() if isinstance(changed, MetaTensor) else changed
