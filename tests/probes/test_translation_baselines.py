"""What an image that was made has to beat, where the answer is known."""

import pytest
import torch
from monai.data import MetaTensor

from scripts.evaluation.translation_baselines import write_baselines
from scripts.probes.translation_baselines import read_baselines


def scan(shape, function, noise=0.0):
    """A prepared scan in which the body, all but its margin, is of random intensities, and a target of these."""
    image = torch.full((1, *shape), -1.0)
    inside = tuple(slice(2, size - 2) for size in shape)
    image[0][inside] = torch.rand(image[0][inside].shape)
    target = MetaTensor(function(image) + noise * torch.randn(image.shape))
    return {"image": MetaTensor(image), "target": target, "covered": torch.ones(image.shape, dtype=torch.bool)}


@pytest.fixture
def fitted(tmp_path):
    """A function: baselines of some scans, as they are read again."""

    def fit(scans):
        write_baselines(scans, tmp_path / "baselines.pt")
        return read_baselines(tmp_path / "baselines.pt")

    return fit


def test_the_regression_finds_a_function_of_intensities_in_noise(fitted):
    baselines = fitted([scan((40, 36, 32), torch.square, noise=0.3) for _ in range(3)])
    image = scan((24, 24, 24), torch.square)["image"]
    found = baselines.images(image)[1]
    body = image[0] > 0
    assert (found - image[0].square())[body].abs().mean() < 0.02


def test_the_mean_image_is_at_the_same_share_of_the_way_through_each_box(fitted):
    def ramp(shape):
        return torch.linspace(-1, 1, shape[0])[None, :, None, None].expand(1, *shape)

    shapes = [(60, 52, 50), (100, 60, 48), (30, 64, 20)]
    baselines = fitted([scan(shape, lambda image, shape=shape: ramp(shape)) for shape in shapes])
    image = scan((80, 40, 40), torch.square)["image"]
    assert (baselines.images(image)[0] - ramp((80, 40, 40))[0]).abs().max() < 0.05


def test_a_bin_of_no_training_voxel_has_the_mean_of_all(fitted):
    one = {"image": torch.zeros(1, 48, 48, 48), "target": torch.full((1, 48, 48, 48), 0.25)}
    one["covered"] = one["target"] > 0
    one["image"][:, 8:40, 8:40, 8:40] = 1
    assert torch.allclose(fitted([one]).images(torch.randn(1, 9, 9, 9)), torch.tensor(0.25))


def test_what_no_target_covers_is_no_part_of_either(fitted):
    scans = [scan((48, 48, 48), torch.square) for _ in range(2)]
    for one in scans:
        one["target"][:] = 0.25
    for one, known in zip(scans, (12, 24), strict=True):
        one["covered"][:, known:] = False
        one["target"][:, known:] = 99
    assert torch.allclose(fitted(scans).images(torch.randn(1, 48, 48, 48)), torch.tensor(0.25))


def test_a_training_without_baselines_has_none(tmp_path):
    assert read_baselines(tmp_path / "baselines.pt") is None
