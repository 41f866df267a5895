"""Baselines know place, intensities and size, and nothing else."""

import numpy as np
import torch
from monai.data import MetaTensor

from scripts.transforms.baselines import BodySized, CropBaselinesd


def shuffle(image):
    """The same voxels in other places."""
    return image.flatten()[torch.randperm(image.numel())].reshape(image.shape)


def test_intensities_of_a_crop_do_not_know_where_its_voxels_are_but_in_its_centre_or_not():
    image, location = torch.randn(1, 4, 4, 4), torch.randn(3)
    shuffled = image.clone()
    shuffled[:, 1:3, 1:3, 1:3] = shuffle(image[:, 1:3, 1:3, 1:3])
    first, second = (
        CropBaselinesd("image")({"image": i, "location": x}) for i, x in ((image, location), (shuffled, location + 1))
    )
    assert torch.allclose(first["intensity"], second["intensity"], atol=1e-5)
    assert not torch.allclose(first["position"], second["position"])
    assert first["position"].shape == (9,) and first["intensity"].shape == (68,)


def test_the_histograms_are_numpys_of_the_crop_and_of_its_centre():
    image = 1.5 * torch.randn(1, 8, 8, 8)
    found = CropBaselinesd("image")({"image": image, "location": torch.zeros(3)})["intensity"]
    edges = [-np.inf, *np.linspace(-2, 2, 33), np.inf]
    for histogram, part in zip(found.split(34), (image, image[:, 2:6, 2:6, 2:6]), strict=True):
        counts, _ = np.histogram(part.numpy(), edges)
        assert np.allclose(histogram.square() * part.numel(), counts, atol=1e-3)


def test_the_size_of_a_body_is_in_mm_and_ml(oblique):
    scan = torch.rand(1, 30, 20, 10)
    scan[:, 5:25, 5:15, 2:8] += 100
    known = BodySized("image")({"image": MetaTensor(scan, affine=oblique(0, (1.5, 2, 3)))})
    assert torch.allclose(known["size"], torch.tensor([45, 40, 30, 20 * 10 * 6 * 9 / 1000]), rtol=1e-4)


def test_what_they_write_can_be_put_into_batches(oblique):
    crop = {"image": MetaTensor(torch.rand(1, 5, 5, 5), affine=oblique(0)), "location": torch.zeros(3)}
    for known in (CropBaselinesd("image")(crop), BodySized("image")(crop)):
        assert not any(isinstance(value, MetaTensor) for name, value in known.items() if name != "image")


def test_the_size_of_a_body_is_that_of_its_first_channel(oblique):
    scan, affine = torch.rand(1, 30, 20, 10), oblique(0, (1.5, 2, 3))
    scan[:, 5:25, 5:15, 2:8] += 100
    both = torch.cat([scan, 1000 * torch.rand(1, 30, 20, 10)])
    one, two = (BodySized("image")({"image": MetaTensor(each, affine=affine)})["size"] for each in (scan, both))
    assert torch.equal(one, two)
