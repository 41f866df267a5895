"""A patch has neither brightness nor contrast of its own."""

import pytest
import torch
from monai.transforms import NormalizeIntensity

from scripts.transforms.normalize_patch import NormalizePatchd, normalize_patch


@pytest.fixture
def patch():
    """Two channels of different brightness."""
    return torch.randn(2, 6, 5, 4) * torch.tensor([3.0, 0.1]).reshape(2, 1, 1, 1) + 7


def test_each_channel_has_mean_0_and_standard_deviation_1(patch):
    made = normalize_patch(patch)
    assert torch.allclose(made.mean((1, 2, 3)), torch.zeros(2), atol=1e-4)
    assert torch.allclose(made.std((1, 2, 3), unbiased=False), torch.ones(2), atol=1e-4)


def test_brightness_and_contrast_change_nothing(patch):
    assert torch.allclose(normalize_patch(3 * patch - 20), normalize_patch(patch), atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, -1.0, 123.4, 1e-20])
def test_voxels_that_are_all_alike_become_zeros(value):
    assert not normalize_patch(torch.full((1, 20, 20, 20), value)).any()


def test_monais_own_makes_ones_of_voxels_that_are_all_alike():
    made = [NormalizeIntensity()(torch.full((1, 20, 20, 20), value)) for value in (0.1, 0.7, 123.4)]
    assert max(float(image.abs().max()) for image in made) == 1


def test_what_rounding_leaves_of_a_constant_is_no_contrast():
    assert not normalize_patch(torch.full((1, 8, 8, 8), 0.7) * (1 + 1e-7 * torch.randn(1, 8, 8, 8))).any()


def test_all_images_are_normalised_and_the_rest_stays(patch):
    item = NormalizePatchd(["image", "pet"])({"image": patch, "pet": patch + 1, "scan": 3})
    assert torch.allclose(item["pet"], item["image"], atol=1e-4) and item["scan"] == 3
