"""A transform that leaves some of an item as it was."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from monai.transforms import Compose, Transform

__all__ = ["Kept"]


class Kept(Transform):
    """Transforms of an item, which some of its keys survive, such as those that `SelectItemsd` does not know.

    Args:
        transforms: in their order, of one item to one.
        keys: whose values the item has afterwards as before, where it had them.
    """

    def __init__(self, transforms: Sequence[Callable], keys: Sequence[Hashable]) -> None:
        self.transform, self.keys = Compose(transforms), keys

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The transformed item."""
        return self.transform(data) | {key: data[key] for key in self.keys if key in data}
