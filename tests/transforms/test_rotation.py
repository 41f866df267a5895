"""Rotations of crops: what goes where, and that nothing but the content tells which it was."""

import itertools

import numpy as np
import pytest
import torch

from scripts.errors import InputError
from scripts.transforms.rotation import ROTATIONS, LabelledRotationd, rotate

EVERY = [(name, number) for name, turns in ROTATIONS.items() for number in range(len(turns))]


def by_hand(image, rotation):
    """Each voxel at p from the middle put at R p, one at a time."""
    size = np.array(image.shape[1:])
    turned = torch.zeros(image.shape[0], *(np.abs(rotation) @ size))
    for place in itertools.product(*map(range, size)):
        there = rotation @ (2 * np.array(place) - (size - 1)) + np.array(turned.shape[1:]) - 1
        turned[(slice(None), *(there // 2))] = image[(slice(None), *place)]
    return turned


def crop(rotations, size=4):
    return LabelledRotationd("image", rotations, [size] * 3, [2.0] * 3)


@pytest.mark.parametrize(("name", "number"), [("axes", 10), ("cube", 24), ("slice", 4)])
def test_there_are_as_many_rotations_as_said_all_different_and_the_first_is_none(name, number):
    turns = ROTATIONS[name]
    assert len({matrix.tobytes() for matrix in turns}) == len(turns) == number
    assert np.array_equal(turns[0], np.eye(3))


@pytest.mark.parametrize(("name", "number"), EVERY)
def test_a_rotation_is_proper_and_mirrors_nothing(name, number):
    matrix = ROTATIONS[name][number]
    assert round(np.linalg.det(matrix)) == 1 and np.array_equal(matrix @ matrix.T, np.eye(3))


@pytest.mark.parametrize(("name", "number"), EVERY)
def test_each_voxel_goes_where_the_matrix_says(name, number):
    image, matrix = torch.randn(2, 3, 4, 5), ROTATIONS[name][number]
    assert torch.equal(rotate(image, matrix), by_hand(image, matrix))


@pytest.mark.parametrize("number", range(24))
def test_a_rotation_is_undone_by_its_inverse(number):
    image, matrix = torch.randn(1, 3, 4, 5), ROTATIONS["cube"][number]
    assert torch.equal(rotate(rotate(image, matrix), matrix.T), image)


def test_the_papers_rotations_are_some_of_a_cubes():
    cube = {matrix.tobytes() for matrix in ROTATIONS["cube"]}
    assert {matrix.astype(ROTATIONS["cube"][0].dtype).tobytes() for matrix in ROTATIONS["axes"]} <= cube


def test_rotations_of_a_slice_keep_its_plane():
    turned = [rotate(torch.randn(1, 6, 6, 1), matrix) for matrix in ROTATIONS["slice"]]
    assert all(image.shape == (1, 6, 6, 1) for image in turned)


def test_the_class_that_is_written_is_the_rotation_that_was_made():
    transform, image = crop("cube").set_random_state(0), torch.randn(1, 4, 4, 4)
    for _ in range(30):
        item = transform({"image": image, "scan": 7})
        assert torch.equal(item["image"], rotate(image, ROTATIONS["cube"][item["rotation"]])) and item["scan"] == 7


def test_each_class_is_as_likely_as_any_other():
    transform, number = crop("axes").set_random_state(0), 4000
    drawn = np.bincount([transform({"image": torch.zeros(1, 4, 4, 4)})["rotation"] for _ in range(number)])
    assert len(drawn) == 10 and abs(drawn - number / 10).max() < 5 * (number * 0.1 * 0.9) ** 0.5


def test_all_images_of_a_crop_are_turned_alike():
    image = torch.randn(1, 4, 4, 4)
    transform = LabelledRotationd(["image", "pet"], "cube", [4] * 3, [2.0] * 3).set_random_state(3)
    item = transform({"image": image, "pet": image + 1})
    assert torch.equal(item["pet"], item["image"] + 1)


def test_what_was_drawn_is_applied_again_without_a_new_draw():
    transform, image = crop("cube").set_random_state(1), torch.randn(1, 4, 4, 4)
    first = transform({"image": image})
    assert torch.equal(transform({"image": image}, randomize=False)["image"], first["image"])


@pytest.mark.parametrize(
    ("rotations", "region_size", "spacing"),
    [("axes", [64, 64, 32], [2, 2, 2]), ("cube", [64, 64, 64], [1, 1, 3]), ("slice", [64, 32, 1], [1, 1, 1])],
)
def test_axes_that_could_be_told_by_their_shape_are_refused(rotations, region_size, spacing):
    with pytest.raises(InputError, match=r"Rotations exchange axes.*region_size is \[.*give both the same number on"):
        LabelledRotationd("image", rotations, region_size, spacing)


def test_slices_may_be_thick_where_turns_stay_in_them():
    assert len(LabelledRotationd("image", "slice", [64, 64, 1], [1, 1, 5]).turns) == 4


def test_unknown_rotations_are_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"rotations is some: give one of axes, cube, slice"):
        crop("some")
