"""What predicts structure shares: features of an encoder's layers; or a crop's place, and its intensities, alone."""

from collections.abc import Callable, Sequence
from functools import partial

import torch

from ..metrics.location import Crops
from ..probes.gaussian_kernel import GaussianKernel
from ..probes.standardise import Standardise

__all__ = ["Alternatives", "layer_features_of", "share_baselines"]

Features = Callable[[Crops], torch.Tensor]  # [N, D] of N crops
# ways to make features, each fitted to training crops, of which a probe takes the best
Alternatives = Sequence[Callable[[Crops], Features]]

POSITION_WIDTHS = (12.0, 15.0, 20.0, 30.0)  # mm
JOINT_WIDTHS = (20.0, 25.0, 35.0, 50.0)
ROUNDING = 1e-6  # of a box


def layer_features_of(train: Crops, layers: Sequence[str]) -> Features:
    """Standardised features of some layers of an encoder."""
    standardise = Standardise(train.features(layers))
    return lambda crops: standardise(crops.features(layers))


def share_baselines() -> dict[str, Alternatives]:
    """Gaussian kernels of a crop's place, in mm of its frame or as a share of the body's box, by the baseline's name.

    With intensities, the kernel is that of the place times that of the histograms of a crop's octants.
    """
    kernels = [(place, width) for place in (_in_mm, _in_box) for width in POSITION_WIDTHS]
    joint = [(place, width) for place in (_in_mm, _in_box) for width in JOINT_WIDTHS]
    return {
        "position": [partial(_position, place=place, width=width) for place, width in kernels],
        "position and intensity": [partial(_with_intensities, place=place, width=width) for place, width in joint],
    }


def _position(train: Crops, place: Callable[[Crops], Features], width: float) -> Features:
    where = place(train)
    kernel = GaussianKernel(where(train) / width)
    return lambda crops: kernel(where(crops) / width)


def _with_intensities(train: Crops, place: Callable[[Crops], Features], width: float) -> Features:
    where, standardise = place(train), Standardise(train.intensities)
    # two crops that differ in intensities alone, by as much as is usual, are about one width apart
    spread = (2 * standardise(train.intensities).var(0).sum()).sqrt().clamp(min=1)

    def joint(crops: Crops) -> torch.Tensor:
        return torch.cat([where(crops) / width, standardise(crops.intensities) / spread], 1)

    kernel = GaussianKernel(joint(train))
    return lambda crops: kernel(joint(crops))


def _in_mm(train: Crops) -> Features:
    return lambda crops: crops.location.double()


def _in_box(train: Crops) -> Features:
    """As shares of the body's box, in mm of a box as large as that of training scans is on average.

    Where scans are no longer than a crop, all crops are in the middle of that axis, which then says nothing.
    """
    spread = train.known["box_share"].std(0)
    unit = (train.location.std(0) / spread).where(spread > ROUNDING, 1.0)
    return lambda crops: crops.known["box_share"].double() * unit
