"""Scans are resampled as by MONAI, only faster."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Orientationd, Spacingd

from scripts.transforms import separable_spacing
from scripts.transforms.separable_spacing import SeparableResample, SeparableSpacingd, along_axis, on_grid

HIGHEST = 3000  # of voxels
TOLERANCE = 1e-3  # of their unit


@pytest.fixture
def scan(oblique):
    """A function: noise in a grid that is turned against the scanner's, or sheared, as by a tilted gantry."""

    def make(seed: int = 0, spacing=(1.5, 2.5, 3.5), shear: float = 0.0, dtype=torch.int16):
        affine = oblique(seed, spacing) @ np.array([[1, 0, 0, 0], [0, 1, shear, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        generator = torch.Generator().manual_seed(seed)
        voxels = torch.randint(-1000, HIGHEST, (2, 21, 18, 15), generator=generator).to(dtype)
        return Orientationd("image", "RAS", labels=None)({"image": MetaTensor(voxels, affine=torch.from_numpy(affine))})

    return make


@pytest.fixture
def counted(monkeypatch):
    """How many channels are resampled by ours."""
    calls = []
    monkeypatch.setattr(separable_spacing, "on_grid", lambda *args: calls.append(args) or on_grid(*args))
    return calls


def assert_same(ours, monais, tolerance=TOLERANCE):
    assert ours.dtype == monais.dtype == torch.float32 and ours.shape == monais.shape
    assert torch.allclose(ours.as_tensor(), monais.as_tensor(), rtol=0, atol=tolerance)
    assert torch.equal(ours.affine, monais.affine)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pixdim", [(2, 2, 2), (0.7, 3, 1.1), (1.5, 2.5, 4)])
def test_voxels_and_affine_are_those_of_monai(scan, counted, seed, pixdim):
    assert_same(SeparableSpacingd("image", pixdim)(scan(seed))["image"], Spacingd("image", pixdim)(scan(seed))["image"])
    assert len(counted) == 2


def test_a_grid_as_a_file_rounds_it_is_still_parallel(scan, counted):
    item = scan(3)
    item["image"].affine = item["image"].affine.float().double()
    ours, monais = (kind("image", (2, 2, 2))(item)["image"] for kind in (SeparableSpacingd, Spacingd))
    assert_same(ours, monais, 2 * HIGHEST * separable_spacing.TOLERANCE)  # of noise, neighbours of which differ most
    assert len(counted) == 2


@pytest.mark.parametrize("options", [{"mode": "nearest"}, {"padding_mode": "zeros"}])
def test_what_is_not_linear_is_left_to_monai(scan, counted, options):
    ours, monais = (kind("image", (2, 2, 2), **options)(scan()) for kind in (SeparableSpacingd, Spacingd))
    assert torch.equal(ours["image"], monais["image"]) and not counted


def test_a_sheared_grid_is_left_to_monai(scan, counted):
    ours, monais = (kind("image", (2, 2, 2))(scan(shear=0.2)) for kind in (SeparableSpacingd, Spacingd))
    assert torch.equal(ours["image"], monais["image"]) and not counted


def test_a_scan_that_has_the_spacing_stays_as_it_is(scan, counted):
    item = scan(spacing=(2, 2, 2))
    done = SeparableSpacingd("image", (2, 2, 2))(item)["image"]
    assert torch.equal(done.as_tensor(), item["image"].as_tensor().float()) and not counted


def test_the_order_of_voxels_in_memory_does_not_matter(scan):
    one, other = scan(), scan()
    other["image"] = MetaTensor(other["image"].as_tensor().mT.contiguous().mT, meta=other["image"].meta)
    assert not other["image"].is_contiguous()
    resample = SeparableSpacingd("image", (2, 2, 2))
    assert torch.allclose(resample(one)["image"], resample(other)["image"], rtol=0, atol=TOLERANCE)


def test_a_resampled_scan_goes_back_as_by_monai(scan):
    ours, monais = (Compose([kind("image", (2, 2, 2))]) for kind in (SeparableSpacingd, Spacingd))
    back, theirs = (pipeline.inverse(pipeline(scan()))["image"] for pipeline in (ours, monais))
    assert back.shape == (2, 21, 18, 15) and torch.allclose(back, theirs, rtol=0, atol=10 * TOLERANCE)
    assert torch.allclose(back.affine, scan()["image"].affine, atol=1e-6)


def test_one_axis_is_interpolated_as_numpy_does():
    image, places = torch.rand(3, 40), torch.linspace(-2, 41, 77, dtype=torch.float64)
    rows = [np.interp(places.numpy(), np.arange(40), row) for row in image.numpy()]
    assert np.allclose(along_axis(image, 1, places).numpy(), rows, atol=1e-6)


def test_an_image_without_a_place_is_left_to_monai():
    assert torch.equal(SeparableResample()(torch.ones(1, 3, 3, 3)), torch.ones(1, 3, 3, 3))
