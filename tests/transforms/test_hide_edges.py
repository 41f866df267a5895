"""Edges of patches are hidden as MONAI's own transforms would hide them, but faster."""

import itertools

import numpy as np
import pytest
import torch
from monai.transforms import Flip, SpatialCrop, SpatialPad

from scripts.transforms.hide_edges import HideEdgesd

SIZE, PART = (8, 7, 1), [7, 5, 1]


@pytest.fixture
def patch():
    return {"image": 1 + torch.rand(2, *SIZE, generator=torch.Generator().manual_seed(0))}


@pytest.fixture
def hide():
    return HideEdgesd("image", PART, -1.0).set_random_state(0)


@pytest.mark.parametrize("flipped", [True, False])
def test_it_does_what_monais_flip_crop_and_padding_do(patch, hide, flipped):
    hide.flipped, hide.start = flipped, np.array([1, 2, 0])
    turned = Flip(0)(patch["image"]) if flipped else patch["image"]
    part = SpatialCrop(roi_start=hide.start, roi_end=hide.start + PART)(turned)
    expected = SpatialPad(SIZE, value=-1.0)(part)
    assert torch.equal(hide(patch, randomize=False)["image"], expected.as_tensor())


def test_half_are_flipped_and_parts_begin_wherever_they_fit_as_often(hide):
    drawn = []
    for _ in range(1200):
        hide.randomize(SIZE)
        drawn.append((hide.flipped, *hide.start.tolist()))
    counts = [drawn.count(one) for one in itertools.product([True, False], range(2), range(3), range(1))]
    assert sum(counts) == 1200 and all(60 < count < 140 for count in counts)  # 100, with a standard deviation of 10


def test_the_same_draw_can_be_applied_again_and_the_next_one_is_another(patch, hide):
    first = hide(patch)["image"]
    assert torch.equal(hide(patch, randomize=False)["image"], first)
    assert any(not torch.equal(hide(patch)["image"], first) for _ in range(5))


def test_images_of_one_patch_are_changed_alike_and_stay_as_they_were(patch):
    before, hide = patch["image"].clone(), HideEdgesd(["image", "pet"], PART, 0.0)
    changed = hide(patch | {"pet": 2 * before})
    assert torch.equal(changed["pet"], 2 * changed["image"]) and torch.equal(patch["image"], before)
