"""Scans that are smaller than a crop are padded, and that is said."""

import torch
from monai.data import MetaTensor

from scripts.transforms.pad_to_crop import PadToCropd


def item(scan=0, shape=(20, 20, 20)):
    image = torch.arange(float(torch.tensor(shape).prod())).reshape(1, *shape)
    return {"image": MetaTensor(image, meta={"filename_or_obj": f"scan{scan}.nii.gz"}), "scan": scan}


def test_a_scan_smaller_than_a_crop_is_padded_with_background():
    padded = PadToCropd("image", [8, 8, 8], value=-1)(item(shape=(6, 10, 8)))["image"]
    assert padded.shape == (1, 8, 10, 8)
    assert (padded[:, [0, -1]] == -1).all() and (padded[:, 1:-1] >= 0).all()


def test_padding_does_not_move_the_scan():
    image = item(shape=(6, 10, 8))["image"]
    padded = PadToCropd("image", [8, 8, 8])({"image": image})["image"]
    assert torch.equal(padded.affine @ torch.tensor([1.0, 0, 0, 1]).double(), image.affine[:, 3])


def test_all_images_of_a_scan_are_padded():
    scan = item(shape=(6, 10, 8))
    padded = PadToCropd(["image", "pet"], [8, 8, 8])(scan | {"pet": scan["image"] + 1})
    assert padded["image"].shape == padded["pet"].shape == (1, 8, 10, 8)


def test_padding_is_said_once(caplog):
    pad = PadToCropd("image", [8, 8, 8])
    for scan in range(3):
        pad(item(scan, shape=(6, 10, 8)))
    assert len(caplog.records) == 1
    assert "scan0.nii.gz has (6, 10, 8) voxels, less than a crop of (8, 8, 8)" in caplog.text


def test_scans_that_are_large_enough_stay_as_they_are(caplog):
    scan = item(shape=(8, 9, 10))
    assert torch.equal(PadToCropd("image", [8, 8, 8])(scan)["image"], scan["image"])
    assert not caplog.records
