"""Masks are told from scans by their values."""

import numpy as np
import pytest

from scripts.data.checks.mask_like import looks_like_mask


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(100, 30, (30, 28, 26))


@pytest.fixture
def regions():
    """As an atlas has them: 216 blocks of 5 x 4 x 4 voxels in empty space, each with its number."""
    blocks = np.arange(1, 217).reshape(6, 6, 6)
    return np.pad(np.kron(blocks, np.ones((5, 4, 4))), 3).astype(np.float32)


@pytest.mark.parametrize("values", [(0, 1), (0, 255), (0, 1, 2, 4), (0, 0.0039), (0, 205, 420, 500, 550, 600, 820)])
def test_a_few_values_are_a_mask(values, noise):
    levels = np.quantile(noise, np.linspace(0, 1, len(values) + 1)[1:-1])
    assert looks_like_mask(np.array(values, np.float32)[np.digitize(noise, levels)])


def test_many_regions_are_a_mask(regions):
    assert len(np.unique(regions)) == 217 and looks_like_mask(regions)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_intensities_are_no_mask(dtype, noise):
    assert not looks_like_mask(noise.clip(0, 255).astype(dtype).astype(np.float32))


def test_intensities_in_empty_and_saturated_space_are_no_mask(noise):
    scan = noise.clip(0, 255).round().astype(np.float32)
    scan[:, :, :12], scan[:, :, 20:] = 0, 255
    assert not looks_like_mask(scan)


def test_regions_with_a_mean_intensity_each_are_no_mask(regions):
    """As a parametric map: piecewise constant, but no whole numbers."""
    assert not looks_like_mask(regions * np.float32(0.37))
