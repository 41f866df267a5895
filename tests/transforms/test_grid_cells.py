"""Patches are drawn in the cells of a region, and know which and where they are."""

import itertools

import numpy as np
import pytest
import torch
from monai.data import CacheDataset, MetaTensor
from monai.transforms import Compose

from scripts.transforms.grid_cells import GridCellsd, region_size
from scripts.transforms.location import CropLocationd, FrameOrigind
from scripts.transforms.repeatable import Repeatable

CELLS, SIZE, JITTER = [3, 2, 1], [4, 3, 5], [2, 1, 0]


def places(shape, affine):
    """World coordinates of each voxel, [3, X, Y, Z]."""
    voxels = np.stack([*np.indices(shape), np.ones(shape)])
    return torch.from_numpy(np.einsum("ij,jxyz->ixyz", affine, voxels)[:3])


@pytest.fixture
def scan(oblique):
    """A scan whose channels are the world coordinates of its voxels."""
    return {"image": MetaTensor(places((23, 12, 9), oblique(1)), affine=oblique(1)), "scan": 3}


@pytest.fixture
def grid():
    return GridCellsd("image", CELLS, SIZE, JITTER, num_samples=2).set_random_state(0)


def test_each_region_gives_a_patch_of_each_cell_in_their_order(scan, grid):
    patches = grid(scan)
    assert len(patches) == 2 * 6
    assert all(patch["image"].shape == (3, *SIZE) and patch["scan"] == 3 for patch in patches)


def test_a_patch_lies_in_its_cell_the_last_axis_fastest(scan, grid):
    scan["image"] = MetaTensor(torch.from_numpy(np.indices((23, 12, 9))))  # each voxel knows its index
    patches, corners = grid(scan), [*itertools.product(range(3), range(2), range(1))] * 2
    for number, (patch, corner) in enumerate(zip(patches, corners, strict=True)):
        first = patch["image"][:, 0, 0, 0].numpy() - grid.starts[number // 6] - np.multiply(corner, [6, 4, 5])
        assert (first >= 0).all() and (first <= JITTER).all()


def test_patches_hold_the_voxels_of_their_places(scan, grid):
    for patch in grid(scan):
        assert torch.allclose(places(SIZE, patch["image"].affine.numpy()), patch["image"].as_tensor(), atol=1e-3)


def test_locations_are_the_centres_of_patches_in_an_oblique_scan(scan, grid):
    patches = Compose([FrameOrigind("image", "scanner"), grid, CropLocationd("image")])(scan)
    for patch in patches:
        assert torch.allclose(patch["location"].double(), patch["image"].as_tensor().mean((1, 2, 3)), atol=1e-3)


def test_patches_do_not_overlap_and_gaps_are_of_0_to_twice_the_jitter(oblique):
    image = MetaTensor(torch.arange(40.0).reshape(1, 40, 1, 1), affine=oblique(0))
    grid = GridCellsd("image", [2, 1, 1], [10, 1, 1], [3, 0, 0], num_samples=200).set_random_state(0)
    first = [float(patch["image"].min()) for patch in grid({"image": image})]
    gaps = {second - start - 10 for start, second in zip(first[::2], first[1::2], strict=True)}
    assert gaps == {0, 1, 2, 3, 4, 5, 6}


def test_regions_reach_all_places_where_one_fits(scan):
    grid = GridCellsd("image", CELLS, SIZE, JITTER, num_samples=2000).set_random_state(0)
    grid.randomize((23, 12, 9))
    assert {tuple(start) for start in grid.starts.tolist()} == {*itertools.product(range(6), range(5), range(5))}


def test_what_is_done_to_a_patch_is_not_done_to_the_scan(scan, grid):
    before = scan["image"].clone()
    for patch in grid(scan):
        patch["image"].zero_()
    assert torch.equal(scan["image"], before)


def test_images_of_one_scan_are_cut_alike(scan):
    grid = GridCellsd(["image", "pet"], CELLS, SIZE, JITTER)
    assert all(torch.equal(patch["pet"], patch["image"] + 1) for patch in grid(scan | {"pet": scan["image"] + 1}))


def test_the_same_draws_cut_the_same_patches_and_others_do_not(scan, grid):
    first, again, other = grid(scan), grid(scan, randomize=False), grid(scan)
    assert all(torch.equal(one["image"], two["image"]) for one, two in zip(first, again, strict=True))
    assert not all(torch.equal(one["image"], two["image"]) for one, two in zip(first, other, strict=True))


def test_repeatable_patches_are_the_same_each_time_and_others_in_other_scans(scan, grid):
    fixed = Repeatable(grid)
    first, again, other = (
        [patch["image"].affine for patch in fixed(item)] for item in (scan, scan, scan | {"scan": 4})
    )
    assert all(map(torch.equal, first, again)) and not all(map(torch.equal, first, other))


def test_a_cached_scan_gives_other_patches_each_time(scan, grid):
    data = CacheDataset([scan], Compose([grid]), progress=False)
    assert not torch.equal(data[0][0]["image"].affine, data[0][0]["image"].affine)


def test_a_scan_of_a_regions_size_gives_that_region(oblique):
    scan = {"image": MetaTensor(torch.rand(1, *region_size(CELLS, SIZE, JITTER)), affine=oblique(0))}
    assert len(GridCellsd("image", CELLS, SIZE, JITTER)(scan)) == 6
