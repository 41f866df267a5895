"""What surrounds a CT's round field of view counts as air."""

import pytest
import torch
from monai.transforms import CropForegroundd

from scripts.transforms.foreground import body_mask
from scripts.transforms.padding import PaddingToAird, padding_to_air

PADDING = (-3024.0, -2000.0)


@pytest.fixture
def ct():
    """Soft tissue in air, in Hounsfield units."""
    image = -1000 + 10 * torch.randn(1, 40, 40, 30)
    image[0, 12:30, 10:28, 8:24] = 40 + 20 * torch.randn(18, 18, 16)
    return image.clamp(min=-1024)


def padded(ct, value):
    """Outside a round field of view, that of the scanner."""
    x, y = torch.meshgrid(torch.linspace(-1, 1, 40), torch.linspace(-1, 1, 40), indexing="ij")
    outside = (x**2 + y**2 > 1)[None, :, :, None].expand(ct.shape)
    return ct.masked_fill(outside, value)


@pytest.mark.parametrize("value", PADDING)
def test_the_body_of_a_padded_scan_is_that_of_the_scan(value, ct):
    boxes = [body_mask(image) for image in (padding_to_air(padded(ct, value)), ct)]
    assert boxes[0].equal(boxes[1]) and not body_mask(padded(ct, value)).equal(boxes[1])


@pytest.mark.parametrize("value", PADDING)
def test_padding_becomes_the_lowest_unit_and_all_else_stays(value, ct):
    image = padded(ct, value)
    assert padding_to_air(image).equal(torch.where(image == value, -1024.0, ct))


def test_a_scan_without_padding_is_returned_as_it_is(ct):
    streaks = ct.clone()
    streaks[0, 15, 15, :6] = torch.tensor([-1500.0, -1400, -1300, -1200, -1100, -1050])  # of metal
    for image in (ct, ct.abs(), streaks):
        assert padding_to_air(image) is image


def test_each_image_of_an_item_is_treated_by_its_own_values(ct):
    item = PaddingToAird(["image", "pet"])({"image": padded(ct, -2000.0), "pet": ct.abs(), "scan": 3})
    assert item["image"].min() == -1024 and item["pet"].equal(ct.abs()) and item["scan"] == 3
    assert CropForegroundd("image", "image", body_mask, allow_smaller=True)(item)["image"].shape[3] < 30
