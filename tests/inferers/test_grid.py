"""Embeddings on a grid of crops: where they lie, and in which order."""

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer

from scripts.engines.batches import PrepareBatch
from scripts.inferers.grid import GridInferer, grid_affine, grid_centres
from scripts.transforms.location import CropLocationd

CROP, STRIDE = [4, 3, 5], 2


@pytest.fixture
def scan(oblique):
    """An image [3, X, Y, Z] of the world coordinates of its voxels."""
    affine, shape = torch.from_numpy(oblique(5)), (10, 9, 12)
    index = torch.stack(torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in shape), indexing="ij"))
    world = torch.einsum("ij,jxyz->ixyz", affine[:3, :3], index) + affine[:3, 3, None, None, None]
    return MetaTensor(world, affine=affine)


class MeanOfCrop(torch.nn.Module):
    """Embeds a crop of coordinates as its centre."""

    def forward(self, crops):
        return crops.mean((2, 3, 4))


@pytest.fixture
def grid(scan):
    return GridInferer(CROP, STRIDE, batch_size=7, inferer=SimpleInferer())(scan[None].as_tensor(), MeanOfCrop())


def test_there_is_an_embedding_for_each_crop_that_fits(grid):
    assert grid.shape == (1, 3, 4, 4, 4)


def test_embeddings_are_in_the_order_of_the_grid(grid, scan):
    for i, j, k in ((0, 0, 0), (3, 0, 0), (0, 2, 0), (0, 0, 1), (2, 3, 1)):
        crop = scan.as_tensor()[:, 2 * i : 2 * i + 4, 2 * j : 2 * j + 3, 2 * k : 2 * k + 5]
        assert torch.allclose(grid[0, :, i, j, k], crop.mean((1, 2, 3)))


def test_centres_are_those_of_the_crops(grid, scan):
    centres = grid_centres(grid_affine(scan.affine, CROP, STRIDE), grid.shape[2:])
    assert torch.allclose(centres, grid[0].flatten(1).T, atol=1e-9)


@pytest.mark.parametrize("batch_size", [1, 64, 1000])
def test_the_batch_size_changes_nothing(grid, scan, batch_size):
    other = GridInferer(CROP, STRIDE, batch_size, SimpleInferer())(scan[None].as_tensor(), MeanOfCrop())
    assert torch.equal(other, grid)


def test_a_scan_of_the_size_of_a_crop_has_one_embedding(scan):
    image = scan.as_tensor()[None, :, :4, :3, :5]
    grid = GridInferer(CROP, STRIDE, 64, SimpleInferer())(image, MeanOfCrop())
    assert torch.allclose(grid[0, :, 0, 0, 0], image[0].mean((1, 2, 3))) and grid.shape == (1, 3, 1, 1, 1)


def test_two_scans_at_a_time_are_refused(scan):
    with pytest.raises(ValueError, match="one scan at a time, not 2"):
        GridInferer(CROP, STRIDE, 64, SimpleInferer())(scan.expand(2, -1, -1, -1, -1), MeanOfCrop())


class MeanAndPlace(torch.nn.Module):
    """Says the mean of a crop, and the place that it is told."""

    def forward(self, crops, location):
        return torch.cat([crops.mean((2, 3, 4)), location], 1)


def test_a_network_that_takes_the_place_of_a_crop_is_told_it(scan):
    inferer = GridInferer(
        CROP, STRIDE, 7, SimpleInferer(), [CropLocationd("image")], PrepareBatch(["image", "location"])
    )
    origin = torch.tensor([[10.0, -20, 30]], dtype=torch.float64)
    grid = inferer(scan[None], MeanAndPlace(), origin=origin)[0].flatten(1).T
    assert torch.allclose(grid[:, 3:], grid[:, :3] - origin, atol=1e-3)
