"""Baselines know place, intensities and size, and nothing else."""

import numpy as np
import torch
from monai.data import MetaTensor

from scripts.transforms.baselines import BodySized, CropBaselinesd


def test_intensities_of_a_crop_do_not_know_where_its_voxels_are():
    image, location = torch.randn(1, 4, 4, 4), torch.randn(3)
    shuffled = image.flatten()[torch.randperm(64)].reshape(image.shape)
    first, second = (
        CropBaselinesd("image")({"image": i, "location": x}) for i, x in ((image, location), (shuffled, location + 1))
    )
    assert torch.allclose(first["intensity"], second["intensity"], atol=1e-5)
    assert not torch.allclose(first["position"], second["position"])
    assert first["position"].shape == (9,) and first["intensity"].shape == (35,)


def test_the_statistics_are_numpys():
    image = torch.randn(1, 5, 5, 5)
    statistics = CropBaselinesd("image")({"image": image, "location": torch.zeros(3)})["intensity"][:7].numpy()
    values = image.numpy().ravel()
    levels = np.percentile(values, [5, 25, 50, 75, 95], method="nearest")
    assert np.allclose(statistics, [values.mean(), values.std(ddof=1), *levels], atol=1e-5)


def test_the_size_of_a_body_is_in_mm_and_ml(oblique):
    scan = torch.rand(1, 30, 20, 10)
    scan[:, 5:25, 5:15, 2:8] += 100
    known = BodySized("image")({"image": MetaTensor(scan, affine=oblique(0, (1.5, 2, 3)))})
    assert torch.allclose(known["size"], torch.tensor([45, 40, 30, 20 * 10 * 6 * 9 / 1000]), rtol=1e-4)


def test_what_they_write_can_be_put_into_batches(oblique):
    crop = {"image": MetaTensor(torch.rand(1, 5, 5, 5), affine=oblique(0)), "location": torch.zeros(3)}
    for known in (CropBaselinesd("image")(crop), BodySized("image")(crop)):
        assert not any(isinstance(value, MetaTensor) for name, value in known.items() if name != "image")
