"""Dice and the distance between surfaces, where both are known."""

import math

import pytest
import torch

from scripts.metrics.segmentation import mean_region_dice, region_dice, region_surface_distance


@pytest.fixture
def cubes():
    """Two cubes of class 2 with 4 voxels a side, of which one lies a voxel further along the last axis."""
    found, label = torch.zeros(12, 12, 12), torch.zeros(12, 12, 12)
    found[4:8, 4:8, 5:9], label[4:8, 4:8, 4:8] = 2, 2
    return found, label


def test_dice_is_twice_what_is_common_over_the_sum(cubes):
    assert region_dice(*cubes, [2]) == pytest.approx(2 * 48 / 128)


def test_a_class_that_is_not_found_has_a_dice_of_0_and_one_that_is_not_there_none(cubes):
    found, label = cubes
    assert region_dice(0 * found, label, [2]) == 0
    assert math.isnan(region_dice(found, 0 * label, [2]))


def test_a_mean_is_of_the_classes_that_the_label_map_has(cubes):
    found, label = cubes
    label[0, 0, 0], found[1, 1, 1] = 1, 3
    assert mean_region_dice(found, label, [[1], [2], [3]]) == pytest.approx((0 + 0.75) / 2)
    assert math.isnan(mean_region_dice(found, label, [[3]]))


def test_a_region_is_the_union_of_its_classes(cubes):
    found, label = cubes
    found[found == 2], label[..., 4:6] = 1, label[..., 4:6] * 3 / 2
    assert region_dice(found, label, [1, 2, 3]) == pytest.approx(2 * 48 / 128)
    assert region_surface_distance(found, label, [1, 2, 3], (1, 1, 1)) > 0


def test_a_surface_that_is_the_same_has_no_distance(cubes):
    assert region_surface_distance(cubes[0], cubes[0], [2], (1, 1, 1)) == 0


def test_distances_are_in_mm(cubes):
    near, far = (region_surface_distance(*cubes, [2], (step, step, step)) for step in (1, 3))
    assert 0 < near < 1 and far == pytest.approx(3 * near)


def test_a_distance_to_nothing_is_none(cubes):
    assert math.isnan(region_surface_distance(0 * cubes[0], cubes[1], [2], (1, 1, 1)))


def test_each_axis_has_its_own_step(cubes):
    plain, along, across = (region_surface_distance(*cubes, [2], step) for step in ((1, 1, 1), (1, 1, 3), (3, 1, 1)))
    assert across == pytest.approx(plain) and along > 1.5 * plain
