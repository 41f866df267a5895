"""The box of the body, which noise and specks do not move."""

import pytest
import torch

from scripts.transforms.foreground import body_mask, inside_body, otsu_threshold

BODY = (slice(12, 40), slice(8, 30), slice(10, 44))


@pytest.fixture
def body():
    """A body in noisy air that is far from 0, with bright specks at the rim."""
    image = 50 + 5 * torch.rand(1, 48, 40, 52)
    image[(0, *BODY)] = 200 + 60 * torch.rand(28, 22, 34)
    for corner in ((0, 0, 0), (47, 39, 51), (0, 39, 20), (46, 1, 30)):
        image[(0, *corner)] = 3000
    return image


def extent(mask):
    """First index and one past the last along each axis."""
    return [(int(points.min()), int(points.max()) + 1) for points in mask[0].nonzero().T]


def test_otsu_separates_two_classes():
    dark, bright = 100 + 10 * torch.randn(3000), 300 + 20 * torch.randn(1000)
    threshold = otsu_threshold(torch.cat([dark, bright]))
    assert (dark <= threshold).all() and (bright > threshold).all()


def test_otsu_equals_the_search_over_all_thresholds():
    values = torch.randint(0, 256, (500,)).double() ** 2
    values[::3] = values[::3] / 40
    top = values.kthvalue(int(0.995 * len(values))).values
    clipped = values.clamp(max=top)

    def between(threshold):
        low, high = clipped[clipped <= threshold], clipped[clipped > threshold]
        return len(low) * len(high) * float(low.mean() - high.mean()) ** 2 if len(low) and len(high) else 0

    best = max(between(threshold) for threshold in clipped.unique())
    assert between(otsu_threshold(values)) > 0.999 * best


def test_otsu_is_not_drawn_to_a_few_bright_voxels():
    values = torch.cat([torch.rand(3000), 10 + torch.rand(1000)])
    with_specks = torch.cat([values, torch.full((10,), 1e6)])
    assert 1 <= otsu_threshold(with_specks) <= 10


def test_the_box_is_that_of_the_body(body):
    for (first, last), side in zip(extent(body_mask(body)), BODY, strict=True):
        assert abs(first - side.start) <= 1 and abs(last - side.stop) <= 1


def test_voxels_above_zero_would_be_the_whole_volume(body):
    assert (body > 0).all() and body_mask(body).float().mean() < 0.3


@pytest.mark.parametrize("scale, offset", [(0.01, 0), (1, -1024), (50, 1e5)])
def test_the_box_does_not_depend_on_the_unit_of_intensity(body, scale, offset):
    assert extent(body_mask(scale * body + offset)) == extent(body_mask(body))


def test_specks_do_not_move_the_box(body):
    clean = body.where(body < 3000, 50)
    assert extent(body_mask(body)) == extent(body_mask(clean))


def test_the_mask_is_a_box_of_the_shape_of_the_image(body):
    mask = body_mask(body.expand(2, -1, -1, -1))
    assert mask.shape == (2, *body.shape[1:]) and mask.dtype == torch.bool
    (x, y, z) = extent(mask)
    assert mask[0].sum() == (x[1] - x[0]) * (y[1] - y[0]) * (z[1] - z[0])


@pytest.mark.parametrize("value", [-1000.0, 0.0, 3.5])
def test_a_constant_image_is_kept_whole(value):
    assert body_mask(torch.full((1, 6, 5, 4), value)).all()


def test_a_body_without_air_is_kept_but_for_the_tails():
    image = torch.rand(1, 30, 30, 30)
    assert all(last - first >= 29 for first, last in extent(body_mask(image)))


def test_crop_foreground_crops_to_the_box(body):
    from monai.data import MetaTensor
    from monai.transforms import CropForegroundd

    crop = CropForegroundd("image", "image", select_fn=body_mask, allow_smaller=True)
    cropped = crop({"image": MetaTensor(body)})["image"]
    assert list(cropped.shape[1:]) == [last - first for first, last in extent(body_mask(body))]


def test_what_a_body_encloses_is_inside_also_where_the_scan_ends_in_it(body):
    lung = (slice(20, 32), slice(14, 24), slice(14, 52))
    body[(0, slice(12, 40), slice(8, 30), slice(44, 52))] = 220
    body[(0, *lung)] = 50
    inside = inside_body(body)
    assert inside[lung].all() and not inside[:8].any() and not inside[:, 34:].any()


def test_specks_enclose_nothing(body):
    assert inside_body(body)[44:].sum() == 0 and inside_body(body)[:8].sum() == 0
