"""Places of patches are drawn in the cells of a region."""

import itertools

import numpy as np
import pytest
import torch
from monai.data import CacheDataset, MetaTensor
from monai.transforms import Compose

from scripts.errors import InputError
from scripts.transforms.grid_cells import GridCellsd, region_size
from scripts.transforms.repeatable import Repeatable

CELLS, SIZE, JITTER = [3, 2, 1], [4, 3, 5], [2, 1, 0]


@pytest.fixture
def scan(oblique):
    return {"image": MetaTensor(torch.rand(1, 23, 12, 9), affine=oblique(1)), "scan": 3}


@pytest.fixture
def grid():
    return GridCellsd("image", CELLS, SIZE, JITTER, num_samples=2).set_random_state(0)


def corners(patches):
    return np.stack([patch["corner"] for patch in patches])


def test_each_region_gives_a_patch_of_each_cell_in_their_order(scan, grid):
    patches = grid(scan)
    assert [patch["cell"] for patch in patches] == [*range(6), *range(6)]
    assert all(patch["image"] is scan["image"] and patch["scan"] == 3 for patch in patches)


def test_a_patch_lies_in_its_cell_the_last_axis_fastest(scan, grid):
    cells = [*itertools.product(range(3), range(2), range(1))] * 2
    inside = corners(grid(scan)) - np.repeat(grid.starts, 6, 0) - np.multiply(cells, [6, 4, 5])
    assert (inside >= 0).all() and (inside <= JITTER).all()


def test_patches_do_not_overlap_and_gaps_are_of_0_to_twice_the_jitter(oblique):
    image = MetaTensor(torch.rand(1, 40, 1, 1), affine=oblique(0))
    grid = GridCellsd("image", [2, 1, 1], [10, 1, 1], [3, 0, 0], num_samples=200).set_random_state(0)
    first = corners(grid({"image": image}))[:, 0]
    assert set(first[1::2] - first[::2] - 10) == {0, 1, 2, 3, 4, 5, 6}


def test_regions_reach_all_places_where_one_fits(scan):
    grid = GridCellsd("image", CELLS, SIZE, JITTER, num_samples=2000).set_random_state(0)
    grid.randomize((23, 12, 9))
    assert {tuple(start) for start in grid.starts.tolist()} == {*itertools.product(range(6), range(5), range(5))}


def test_the_same_draws_give_the_same_places_and_others_do_not(scan, grid):
    first, again, other = map(corners, (grid(scan), grid(scan, randomize=False), grid(scan)))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_repeatable_places_are_the_same_each_time_and_others_in_other_scans(scan, grid):
    fixed = Repeatable(grid)
    first, again, other = (corners(fixed(item)) for item in (scan, scan, scan | {"scan": 4}))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_cached_scan_gives_other_patches_each_time(scan, grid):
    data = CacheDataset([scan], Compose([grid]), progress=False)
    assert not np.array_equal(corners(data[0]), corners(data[0]))


def test_a_scan_of_a_regions_size_gives_that_region(oblique):
    scan = {"image": MetaTensor(torch.rand(1, *region_size(CELLS, SIZE, JITTER)), affine=oblique(0))}
    assert len(GridCellsd("image", CELLS, SIZE, JITTER)(scan)) == 6


def test_a_scan_smaller_than_a_region_is_refused_in_one_sentence(scan):
    with pytest.raises(InputError, match=r"\(23, 12, 9\) voxels.*3 x 2 x 3 cells takes \(18, 8, 15\)"):
        GridCellsd("image", [3, 2, 3], SIZE, JITTER)(scan)
