"""Which intensities a crop has, wherever in it they are: what an encoder must beat."""

from collections.abc import Hashable, Mapping

import torch
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

__all__ = ["Histogramd", "histogram"]


def histogram(image: torch.Tensor, bins: int = 32, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    """Shares of an image's voxels in bins of one width, with what is below the first and above the last.

    Args:
        image: of any shape.
        bins: how many, from `low` to `high`; a value at the edge of two is in the upper one.

    Returns:
        [bins + 2], of sum 1; the first is what is below `low`, the last what is at or above `high`.

    Example:
        >>> histogram(torch.tensor([-3.0, -1.0, 0.0, 0.2, 1.0]), bins=2)
        tensor([0.2000, 0.2000, 0.4000, 0.2000])
    """
    bin_of = torch.bucketize(image.flatten().float(), torch.linspace(low, high, bins + 1), right=True)
    return torch.bincount(bin_of, minlength=bins + 2) / image.numel()


class Histogramd(MapTransform):
    """Write the `histogram` of a crop, [34], of intensities as the network gets them.

    Args:
        keys: of the crop's image; of several, the first is measured.
        allow_missing_keys: as for `MapTransform`.
    """

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict:
        """The item with `histogram`."""
        item = dict(data)
        return item | {"histogram": histogram(convert_to_tensor(item[self.first_key(item)]))}
