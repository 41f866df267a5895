"""A scan is the mean of its windows, and each voxel has the gradients of all windows that hold it."""

import pytest
import torch
from torch import nn

from scripts.inferers.mixed_precision import MixedPrecisionInferer
from scripts.inferers.window_mean import WindowMean
from scripts.transforms.windows import window_starts

NETWORK = nn.Sequential(nn.Conv3d(1, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten()).double()


@pytest.fixture
def mean():
    return WindowMean([4, 4, 4], stride=3, batch_size=2, inferer=lambda crops, network: network(crops))


def slowly(scan):
    """The same, window by window: along the axes of 9, 4 and 6 voxels, these are 3, 1 and 2."""
    crops = [scan[:, :, x : x + 4, y : y + 4, z : z + 4] for x, y, z in window_starts([9, 4, 6], [4, 4, 4], [3, 1, 2])]
    return sum(NETWORK(crop) for crop in crops) / len(crops)


def test_it_is_the_mean_over_windows_from_edge_to_edge(mean):
    scan = torch.randn(1, 1, 9, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(mean(scan, NETWORK), slowly(scan))


def test_gradients_are_added_up_in_the_scan(mean):
    scan = torch.randn(1, 1, 9, 4, 6, dtype=torch.float64, requires_grad=True)
    ours, theirs = (torch.autograd.grad(value.square().sum(), scan)[0] for value in (mean(scan, NETWORK), slowly(scan)))
    torch.testing.assert_close(ours, theirs)


def test_a_scan_as_large_as_a_window_is_one():
    seen = []
    inferer = MixedPrecisionInferer(amp=False)
    mean = WindowMean([4, 4, 4], 3, 2, lambda crops, network: seen.append(len(crops)) or inferer(crops, network))
    mean(torch.randn(1, 1, 4, 4, 4), nn.Flatten())
    assert seen == [1]
