"""Crops that are the same each time, and scans that are smaller than a crop."""

import pytest
import torch
from monai.data import MetaTensor

from scripts.transforms.crops import FixedCropsd, PadToCropd


def item(scan=0, shape=(20, 20, 20)):
    image = torch.arange(float(torch.tensor(shape).prod())).reshape(1, *shape)
    return {"image": MetaTensor(image, meta={"filename_or_obj": f"scan{scan}.nii.gz"}), "scan": scan}


def places(crops):
    """The value of a crop's first voxel tells where it was cut."""
    return [int(crop["image"][0, 0, 0, 0]) for crop in crops]


def test_the_same_scan_gives_the_same_crops_each_time():
    crop = FixedCropsd([5, 6, 7], 8)
    first = places(crop(item()))
    crop(item(1))
    torch.rand(1)
    assert places(crop(item())) == first == places(FixedCropsd([5, 6, 7], 8)(item()))


@pytest.mark.parametrize("seed, scan", [(0, 1), (1, 0)])
def test_other_scans_and_seeds_give_other_places(seed, scan):
    assert places(FixedCropsd([5, 5, 5], 8, seed)(item(scan))) != places(FixedCropsd([5, 5, 5], 8)(item()))


def test_there_are_as_many_crops_of_the_size_as_asked_for():
    crops = FixedCropsd([5, 6, 7], 8)(item())
    assert [tuple(crop["image"].shape) for crop in crops] == [(1, 5, 6, 7)] * 8
    assert len(set(places(crops))) > 4


def test_a_scan_smaller_than_a_crop_is_padded_with_background():
    padded = PadToCropd([8, 8, 8], value=-1)(item(shape=(6, 10, 8)))["image"]
    assert padded.shape == (1, 8, 10, 8)
    assert (padded[:, [0, -1]] == -1).all() and (padded[:, 1:-1] >= 0).all()


def test_padding_does_not_move_the_scan():
    image = item(shape=(6, 10, 8))["image"]
    padded = PadToCropd([8, 8, 8])({"image": image})["image"]
    assert torch.equal(padded.affine @ torch.tensor([1.0, 0, 0, 1]).double(), image.affine[:, 3])


def test_padding_is_said_once(caplog):
    pad = PadToCropd([8, 8, 8])
    for scan in range(3):
        pad(item(scan, shape=(6, 10, 8)))
    assert len(caplog.records) == 1
    assert "scan0.nii.gz has (6, 10, 8) voxels, less than a crop of (8, 8, 8)" in caplog.text


def test_scans_that_are_large_enough_stay_as_they_are(caplog):
    scan = item(shape=(8, 9, 10))
    assert torch.equal(PadToCropd([8, 8, 8])(scan)["image"], scan["image"])
    assert not caplog.records
