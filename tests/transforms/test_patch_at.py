"""A patch holds the voxels of its place, and knows where that is."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import SpatialCrop

from scripts.transforms.location import CropLocationd
from scripts.transforms.patch_at import PatchAtd

CORNER, SIZE = np.array([7, 2, 0]), [4, 3, 5]


@pytest.fixture
def scan(oblique):
    """A scan whose channels are the world coordinates of its voxels."""
    voxels = np.stack([*np.indices((23, 12, 9)), np.ones((23, 12, 9))])
    places = torch.from_numpy(np.einsum("ij,jxyz->ixyz", oblique(1), voxels)[:3])
    return {"image": MetaTensor(places, affine=oblique(1)), "corner": CORNER, "scan": 3}


@pytest.fixture
def cut():
    return PatchAtd("image", SIZE)


def test_a_patch_is_what_monai_cuts_in_an_oblique_scan(scan, cut):
    patch, expected = cut(scan)["image"], SpatialCrop(roi_start=CORNER, roi_end=CORNER + SIZE)(scan["image"])
    assert torch.equal(patch.as_tensor(), expected.as_tensor())
    assert torch.allclose(patch.affine, expected.affine, rtol=0, atol=1e-9)


def test_its_location_is_the_mean_place_of_its_voxels(scan, cut):
    patch = CropLocationd("image")(cut(scan) | {"origin": torch.zeros(3, dtype=torch.float64)})
    assert torch.allclose(patch["location"].double(), patch["image"].as_tensor().mean((1, 2, 3)), atol=1e-3)


def test_what_is_done_to_a_patch_is_not_done_to_the_scan(scan, cut):
    before, affine = scan["image"].clone(), scan["image"].affine.clone()
    cut(scan)["image"].zero_().affine.zero_()
    assert torch.equal(scan["image"], before) and torch.equal(scan["image"].affine, affine)


def test_all_else_of_a_scan_goes_with_it(scan, cut):
    assert cut(scan)["scan"] == 3


def test_images_of_one_scan_are_cut_alike(scan):
    patch = PatchAtd(["image", "pet"], SIZE)(scan | {"pet": scan["image"] + 1})
    assert torch.equal(patch["pet"], patch["image"] + 1)
