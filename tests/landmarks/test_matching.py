"""Surroundings are found again where they correlate best."""

import numpy as np
import pytest
import torch

from scripts.landmarks.matching import best_match, sample_cube


def smooth(*shape):
    """Noise without sharp edges, which is the same between voxels as at them."""
    image = torch.randn(1, 1, *shape)
    for _ in range(3):
        image = torch.nn.functional.avg_pool3d(image, 3, 1, 1, count_include_pad=False)
    return image[0]


def test_the_correlation_is_pearsons_at_every_shift():
    patch, region = torch.randn(1, 3, 3, 3), torch.randn(1, 5, 5, 5)
    windows = {
        (i, j, k): np.corrcoef(patch.flatten(), region[:, i : i + 3, j : j + 3, k : k + 3].flatten())[0, 1]
        for i in range(3)
        for j in range(3)
        for k in range(3)
    }
    shift, correlation = best_match(patch, region)
    best = max(windows, key=windows.__getitem__)
    assert correlation == pytest.approx(windows[best], abs=1e-5)
    assert np.abs(shift.numpy() - (np.array(best) - 1)).max() <= 0.5


def test_gain_and_offset_of_a_scanner_change_nothing():
    region = smooth(16, 16, 16)
    patch = region[:, 3:11, 5:13, 4:12]
    shift, correlation = best_match(7 * patch + 3, region)
    assert torch.allclose(shift, torch.tensor([-1.0, 1.0, 0.0]).double(), atol=0.05)
    assert correlation == pytest.approx(1, abs=1e-4)


def test_shifts_between_points_are_found():
    image, place = smooth(40, 40, 40), torch.tensor([20.0, 20, 20])
    moved = torch.tensor([0.4, -0.3, 0.2])
    shift, _ = best_match(sample_cube(image, place + moved, 12, 1.0), sample_cube(image, place, 18, 1.0))
    assert torch.allclose(shift, moved.double(), atol=0.1)


def test_what_has_no_contrast_correlates_with_nothing():
    for patch, region in ((torch.ones(1, 4, 4, 4), smooth(8, 8, 8)), (smooth(4, 4, 4), torch.ones(1, 8, 8, 8))):
        assert best_match(patch, region)[1] == 0


def test_channels_agree_on_one_shift():
    region = torch.cat([smooth(12, 12, 12), -smooth(12, 12, 12)])
    shift, _ = best_match(region[:, 4:10, 3:9, 2:8], region)
    assert torch.equal(shift.round(), torch.tensor([1.0, 0.0, -1.0]).double())


def test_a_cube_has_the_intensities_of_its_points_and_those_of_the_border_beyond():
    axes = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in (9, 8, 7)), indexing="ij")
    cube = sample_cube(torch.stack(axes), torch.tensor([4.25, 3.5, 5.0]), 3, 2.0)
    assert torch.allclose(cube[0, :, 0, 0], torch.tensor([2.25, 4.25, 6.25]))
    assert torch.allclose(cube[1, 0, :, 0], torch.tensor([1.5, 3.5, 5.5]))
    assert torch.allclose(cube[2, 0, 0], torch.tensor([3.0, 5.0, 6.0]))
