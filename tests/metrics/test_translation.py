"""How near an image that was made is to the real one, against formulas."""

import math

import numpy as np
import pytest
import torch

from scripts.metrics.translation import image_scores, tissue_errors

SHAPE = (9, 8, 7)


@pytest.fixture
def images():
    made, real = (1000 * torch.randn(2, *SHAPE)).unbind()
    return made, real, torch.rand(SHAPE) < 0.3


def gaussian(window):
    at = np.arange(window) - window // 2
    weights = np.exp(-((at / 1.5) ** 2) / 2)
    return weights / weights.sum()


def similarity_at(made, real, place, window=7):
    """SSIM at a voxel as its paper has it, with values from 0 to 1."""
    c1, c2, (x, y) = 0.01**2, 0.03**2, (np.pad(image.double().numpy(), window // 2, "edge") for image in (made, real))
    part = tuple(slice(i, i + window) for i in place)
    g = gaussian(window)
    weights = g[:, None, None] * g[:, None] * g
    mx, my = (weights * x[part]).sum(), (weights * y[part]).sum()
    vx, vy = (weights * (x[part] - mx) ** 2).sum(), (weights * (y[part] - my) ** 2).sum()
    both = (weights * (x[part] - mx) * (y[part] - my)).sum()
    return (2 * mx * my + c1) * (2 * both + c2) / (mx**2 + my**2 + c1) / (vx + vy + c2)


def test_error_and_noise_are_those_of_the_region(images):
    made, real, region = images
    errors = [float(a - b) for a, b, counts in zip(*(x.flatten() for x in images), strict=True) if counts]
    scores = image_scores(made, real, region, -1000, 1000)
    assert scores["mae"] == pytest.approx(sum(map(abs, errors)) / len(errors), rel=1e-6)
    mean_square = sum(error**2 for error in errors) / len(errors)
    assert scores["psnr"] == pytest.approx(10 * math.log10(2000**2 / mean_square), rel=1e-5)


def test_similarity_is_the_papers_in_the_mean_over_the_region(images):
    made, real, region = images
    made = real + 0.3 * made
    scaled = [(image + 1000) / 2000 for image in (made, real)]
    expected = np.mean([similarity_at(*scaled, place) for place in region.nonzero().tolist()])
    assert image_scores(made, real, region, -1000, 1000)["ssim"] == pytest.approx(expected, abs=1e-4)


def test_the_real_image_itself_is_as_near_as_can_be(images):
    _, real, region = images
    assert image_scores(real, real, region, -1000, 1000) == {"mae": 0, "psnr": math.inf, "ssim": pytest.approx(1)}


def test_what_is_outside_of_the_region_does_not_count(images):
    made, real, _ = images
    far = torch.zeros(SHAPE, dtype=torch.bool)
    far[0, 0, 0] = True
    other = made.clone()
    other[5:] = 77
    assert image_scores(made, real, far, 0, 1) == image_scores(other, real, far, 0, 1)


def test_a_tissue_that_is_not_there_has_no_error():
    real = torch.full((2, 2, 2), 40.0)
    errors = tissue_errors(real + 5, real, real > 0)
    assert errors["mae_soft_tissue"] == 5 and math.isnan(errors["mae_bone"]) and math.isnan(errors["mae_air"])
