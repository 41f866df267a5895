"""Views of a place for a momentum contrast: a query, the places next to it, and the key that is to be found."""

from collections.abc import Callable, Hashable, Mapping

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from monai.utils import MAX_SEED

from .views import view_of

__all__ = ["QueryKeyViewsd"]


class QueryKeyViewsd(Randomizable, MapTransform):
    """Replace the crops of a place and its R neighbours, [1 + R, C, X, Y, Z], by 2 + R views.

    They are the query, the neighbours, and the key, which is another view of the place; `place` [1 + R, 3] gets the
    key's as well. The neighbours share one draw, as channels of one image do (arXiv 2302.10390).

    Chance is drawn apart from being applied, as `seeds` of query, neighbours and key; a call with `randomize=False`
    makes the views of these.

    Args:
        keys: of the crops, all of which are changed alike.
        view: a MONAI transform of an image [C, X, Y, Z] that keeps its shape; what is random is drawn from a seed.
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(self, keys: KeysCollection, view: Callable, allow_missing_keys: bool = False) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.view, self.seeds = view, np.zeros(3, "uint32")

    def randomize(self, data=None) -> None:
        """Draw the seeds."""
        self.seeds = self.R.randint(MAX_SEED, size=3, dtype="uint32")

    def __call__(self, data: Mapping[Hashable, torch.Tensor], randomize: bool = True) -> dict:
        """The item with views, and the place of each."""
        if randomize:
            self.randomize()
        item = dict(data)
        place = torch.cat([item["place"], item["place"][:1]])
        return item | {key: self._views(item[key]) for key in self.key_iterator(item)} | {"place": place}

    def _views(self, crops: torch.Tensor) -> torch.Tensor:
        query, others, key = self.seeds
        own, beside = crops[0], crops[1:]
        views = [view_of(self.view, own, query)[None], view_of(self.view, own, key)[None]]
        if len(beside):
            views.insert(1, view_of(self.view, beside.flatten(0, 1), others).unflatten(0, beside.shape[:2]))
        return torch.cat(views)
