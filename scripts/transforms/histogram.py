"""Which intensities a crop has, wherever in it they are: what an encoder must beat."""

from collections.abc import Hashable, Mapping

import torch
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

__all__ = ["Histogramd", "histogram", "octant_histograms"]


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


def octant_histograms(image: torch.Tensor) -> torch.Tensor:
    """Histograms of an image's eight octants, from -2 to 2, as square roots of shares.

    A linear probe of square roots compares Hellinger's way (Vedaldi and Zisserman, "Efficient Additive Kernels via
    Explicit Feature Maps", PAMI 34:480, 2012).

    Args:
        image: [C, X, Y, Z], its intensities scaled; an axis of one voxel is not halved.

    Returns:
        [8 * 34], of unit length in each octant.

    Example:
        >>> octant_histograms(torch.rand(1, 4, 4, 4)).square().sum()
        tensor(8.)
    """
    octants = [image]
    for axis in range(1, image.dim()):
        if image.shape[axis] > 1:
            octants = [half for octant in octants for half in octant.tensor_split(2, axis)]
    return torch.cat([histogram(octant, low=-2.0, high=2.0) for octant in octants]).sqrt()


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
