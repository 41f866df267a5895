"""What a network of patches says of a scan, as a program that serves bundles answers it."""

from collections.abc import Hashable, Mapping
from typing import Any

from monai.transforms import Transform

from ..data.structures import Structures
from ..networks.bag_scores import class_of

__all__ = ["BagResultd"]


class BagResultd(Transform):
    """Makes of `bag` and `before`, as `BagMapsd` leaves them, the `result`, which MONAI Label answers beside the mask.

    It has the `class` that the scan is said to be, the `scores` of all classes by name, those `before` a person
    corrected it, `attended` (the sum of attention, in patches) and `patches` (their number).

    Args:
        classes: in the order of their numbers.
    """

    def __init__(self, classes: Structures) -> None:
        self.names = classes.names

    def __call__(self, data: Mapping[Hashable, Any]) -> dict:
        """The item with its result."""
        bag, scores = data["bag"], data["bag"].scores(self.names)
        result = {
            "class": class_of(scores),
            "scores": scores,
            "before": data["before"].scores(self.names),
            "attended": float(bag.attention.sum()),
            "patches": bag.patches,
        }
        return {**data, "result": result}
