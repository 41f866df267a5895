"""A network of two dimensions on slices of volumes."""

import pytest
import torch
from monai.inferers import SlidingWindowInferer
from torch import nn

from scripts.errors import InputError
from scripts.inferers.grid import GridInferer
from scripts.inferers.slices import SliceInferer
from scripts.inferers.sliding import SlidingInferer

SLICES = SliceInferer(amp=False)


def test_an_image_is_that_of_the_network_on_the_slice():
    network, crops = nn.Conv2d(2, 3, 3, padding=1), torch.randn(4, 2, 8, 6, 1)
    output = SLICES(crops, network)
    assert output.shape == (4, 3, 8, 6, 1)
    assert torch.equal(output[..., 0], network(crops[..., 0]))


def test_a_vector_is_that_of_the_network_on_the_slice():
    network, crops = nn.Sequential(nn.Flatten(), nn.Linear(48, 5)), torch.randn(4, 1, 8, 6, 1)
    assert torch.equal(SLICES(crops, network), network(crops[..., 0]))


def test_of_further_inputs_images_are_slices_too_and_all_else_is_as_it_was():
    def network(image, other, place, scale):
        return (image + other).mean((2, 3)) * scale + place

    crops, place = torch.randn(2, 1, 8, 6, 1), torch.randn(2, 3)
    expected = network(crops[..., 0], 2 * crops[..., 0], place, scale=3)
    assert torch.equal(SLICES(crops, network, 2 * crops, place, scale=3), expected)


def test_crops_of_several_slices_are_refused():
    with pytest.raises(InputError, match="Crops have 32 slices, and the network takes one: give a crop_size"):
        SLICES(torch.zeros(1, 1, 32, 32, 32), nn.Conv2d(1, 1, 1))


def test_sliding_windows_of_a_volume_are_those_of_its_slices():
    network, scan = nn.Conv2d(1, 3, 3, padding=1), torch.randn(1, 1, 12, 10, 4)
    windows = SlidingWindowInferer([8, 8], 3, 0.5, mode="gaussian")
    expected = torch.stack([windows(one, network) for one in scan.unbind(-1)], -1)
    assert torch.allclose(SlidingInferer([8, 8, 1], 0.5, 3, SLICES)(scan, network), expected, atol=1e-5)


def test_a_grid_embeds_slices_of_a_volume():
    network, scan = nn.Sequential(nn.Flatten(), nn.Linear(16, 5)), torch.randn(1, 1, 8, 8, 5)
    grid = GridInferer([4, 4, 1], 2, 8, SLICES)(scan, network)
    assert grid.shape == (1, 5, 3, 3, 3)
    assert torch.allclose(grid[0, :, 1, 2, 1], network(scan[..., 2:6, 4:8, 2])[0], atol=1e-6)
