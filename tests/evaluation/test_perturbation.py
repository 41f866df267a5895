"""Deletion and insertion, of a network whose needs are known."""

import pytest
import torch

from scripts.evaluation.perturbation import perturbation

IMAGE = torch.zeros(1, 1, 8, 8, 8)
SEEN = torch.ones_like(IMAGE)
IMAGE[..., :4, :4, :4] = 1  # the one patch that counts


def score(image):
    return float(image[..., :4, :4, :4].max())


def heat(right):
    values = torch.linspace(0, 0.5, 8).reshape(2, 2, 2).flip(0, 1, 2)
    values[0, 0, 0] = 1.0 if right else -1.0
    return values


def test_a_map_that_is_right_has_little_left_when_it_is_deleted_and_much_when_it_is_inserted():
    right, wrong = (perturbation(IMAGE, heat(kind), SEEN, score, steps=8) for kind in (True, False))
    assert right["deletion"] < wrong["deletion"] and right["insertion"] > wrong["insertion"]


def test_areas_are_those_of_trapezoids():
    """Patches of 8 that are away at shares 0, 1/4 and 1: 0, 2 and 8, so that the hottest is among the first two."""
    found = perturbation(IMAGE, heat(True), SEEN, score, steps=2)
    mean = 1 / 8
    assert found["deletion"] == pytest.approx((1 + mean) / 2 * 0.25 + mean * 0.75)
    assert found["insertion"] == pytest.approx((1 + mean) / 2 * 0.25 + 0.75)


@pytest.mark.parametrize("padding", [4, 6])  # from there on: whole patches, and halves of them
def test_what_is_padding_is_neither_changed_nor_part_of_the_mean(padding):
    seen, image, left = SEEN.clone(), IMAGE.clone(), []
    seen[..., padding:, :, :], image[..., padding:, :, :] = 0, 9
    perturbation(image, heat(True), seen, lambda one: left.append(one) or 0.0, steps=1)
    assert all((one[..., padding:, :, :] == 9).all() for one in left)
    mean = float(IMAGE[..., :padding, :, :].mean())
    assert left[1][..., :padding, :, :].unique().tolist() == pytest.approx([mean])
