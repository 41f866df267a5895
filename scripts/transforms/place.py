"""Where a crop lies, as numbers that a network can take."""

from collections.abc import Hashable, Mapping, Sequence

import torch
from monai.transforms import Transform

from ..errors import InputError, require_positive

__all__ = ["ScaledPlace"]


class ScaledPlace(Transform):
    """Write to `place` where a crop's `location` is in a range, on each axis from -1 to 1, [3], float32.

    0 is the origin of the frame, such as the middle of the body. What is beyond the range is at its end, so that bodies
    larger than those of the training give no number that the network has not seen.

    Args:
        place_range: mm from the origin that are -1 and 1, one number an axis, [X, Y, Z].

    Raises:
        InputError: it is not three positive numbers.

    Example:
        >>> ScaledPlace([100, 100, 200])({"location": torch.tensor([50.0, -130, 20])})["place"]
        tensor([ 0.5000, -1.0000,  0.1000])
    """

    def __init__(self, place_range: Sequence[float]) -> None:
        if isinstance(place_range, str) or not isinstance(place_range, Sequence) or len(place_range) != 3:
            raise InputError(f"place_range is {place_range}: give three numbers in mm, such as [90, 110, 90].")
        for millimetres in place_range:
            require_positive("a number of place_range", millimetres)
        self.place_range = torch.tensor(place_range, dtype=torch.float32)

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict:
        """The item with `place`."""
        return {**data, "place": (data["location"].float() / self.place_range).clamp(-1, 1)}
