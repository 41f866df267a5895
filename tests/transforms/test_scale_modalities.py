"""Each modality is scaled by its own percentiles."""

import warnings

import pytest
import torch
from monai.transforms import ScaleIntensityRangePercentilesd

from scripts.transforms.scale_modalities import ScaleModalitiesd

SCALE = ScaleModalitiesd("image", 5, 95, -1.0, 1.0)


@pytest.fixture
def image():
    return torch.stack([torch.rand(6, 5, 4), torch.zeros(6, 5, 4), 1000 * torch.rand(6, 5, 4) - 500])


def test_a_channel_is_scaled_as_if_it_were_alone(image):
    alone = ScaleIntensityRangePercentilesd("image", 5, 95, -1.0, 1.0)
    scaled = SCALE({"image": image})["image"]
    for i in (0, 2):
        assert torch.allclose(scaled[i : i + 1], alone({"image": image[i : i + 1]})["image"])


def test_a_missing_channel_is_background_without_a_warning(image):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (SCALE({"image": image})["image"][1] == -1).all()


def test_a_case_without_any_intensities_is_background():
    assert (SCALE({"image": torch.zeros(2, 3, 3, 3)})["image"] == -1).all()


def test_an_image_is_left_as_it_was(image):
    before = image.clone()
    SCALE({"image": image})
    assert torch.equal(image, before)


@pytest.mark.parametrize("spread", [0, 1e-6])
def test_a_channel_of_equal_percentiles_is_scaled_by_its_ends(image, spread):
    image[1] = spread * torch.rand(6, 5, 4)
    image[1, 0, 0, :3] = torch.tensor([100.0, 200.0, 400.0])
    scaled = SCALE({"image": image})["image"][1]
    assert torch.allclose(scaled[0, 0, :3], torch.tensor([-0.5, 0, 1]), atol=1e-5) and (scaled >= -1).all()
