"""Structure shares of crops are those of the label map, whatever became of the scan."""

import copy

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, LoadImaged, Orientationd, Spacingd, SpatialCropd

from scripts.data.structures import Structures
from scripts.transforms.structures import LabelMap, LoadLabelMapd, StructureSharesd

SHAPE = (20, 18, 16)
TWO = Structures(("left", "both"), ((4,), (4, 7)), frozenset({5}))


def labels():
    """4 on one side and 7 on the other, within 0."""
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[4:10, 4:14, 4:12], voxels[10:16, 4:14, 4:12] = 4, 7
    return voxels


@pytest.fixture
def scan(write_scan, tmp_path):
    """Item of a scan with a label map, on an oblique grid of 1.5 × 2.5 × 3.5 mm."""
    image = write_scan(tmp_path / "scan.nii.gz", SHAPE)
    nibabel.save(nibabel.Nifti1Image(labels(), nibabel.load(image).affine), tmp_path / "label.nii.gz")
    return {"image": str(image), "label": str(tmp_path / "label.nii.gz"), "scan": 5}


def crop(values, spacing=2.0):
    """A crop whose scan has this label map, in one grid."""
    affine = np.diag([spacing, spacing, spacing, 1])
    return {"image": MetaTensor(torch.zeros(1, *values.shape), affine=affine), "label": LabelMap(values, affine)}


def shares(item, structures=TWO, **settings):
    return StructureSharesd("image", "label", structures, **settings)(item)["structure_shares"]


def test_values_are_those_of_the_map_resampled_with_its_scan(scan):
    both = ["image", "label"]
    spacing = (1.13, 1.37, 1.71)  # no voxel lies between two

    def prepared(keys, *before, mode):
        steps = [LoadImaged(keys, ensure_channel_first=True), Orientationd(keys, "RAS", labels=None)]
        return Compose([*before, *steps, Spacingd(keys, spacing, mode=mode)])(scan)

    expected = prepared(both, mode=["bilinear", "nearest"])["label"][0]
    item = prepared(["image"], LoadLabelMapd("label", "image", TWO), mode="bilinear")
    found = item["label"].at(np.asarray(item["image"].affine), item["image"].shape[1:])
    assert found.shape == tuple(expected.shape)
    assert (found == expected.numpy()).all()


def test_what_lies_outside_of_the_map_is_background():
    known = LabelMap(np.full((4, 4, 4), 7), np.eye(4))
    moved = np.eye(4)
    moved[:3, 3] = -2
    found = known.at(moved, (8, 8, 8))
    assert (found[2:6, 2:6, 2:6] == 7).all() and found.sum() == 7 * 4**3


def test_shares_are_of_the_crops_voxels(scan):
    item = Compose([LoadLabelMapd("label", "image", TWO), LoadImaged("image", ensure_channel_first=True)])(scan)
    item = SpatialCropd("image", roi_start=[2, 3, 4], roi_end=[12, 13, 14])(item)
    cut = labels()[2:12, 3:13, 4:14]
    expected = [(cut == 4).mean(), (cut > 0).mean()]
    assert shares(item)[0].tolist() == pytest.approx(expected)


def test_the_middle_is_a_cube_of_so_many_mm():
    values = np.zeros((16, 16, 16), int)
    values[3:13, 3:13, 3:13] = 4
    assert shares(crop(values), centre_mm=20)[:, 0].tolist() == pytest.approx([1000 / 4096, 1])
    assert shares(crop(values), centre_mm=24)[1, 0] == pytest.approx(1000 / 1728)
    assert torch.equal(*shares(crop(values), centre_mm=500))


def test_a_value_may_belong_to_several_structures():
    values = np.zeros((8, 8, 8), int)
    values[:2], values[2:4], values[4:6] = 4, 7, 9
    assert shares(crop(values))[0].tolist() == [0.25, 0.5]


def test_a_scan_without_a_label_map_has_shares_of_nan(scan):
    other = LoadLabelMapd("label", "image", TWO)(scan | {"scan": 6})
    assert other["label"] == scan["label"]
    assert shares({"image": torch.zeros(1, 4, 4, 4), "label": other["label"]}).isnan().all()
    assert shares({"image": torch.zeros(1, 4, 4, 4)}).shape == (2, 2)


def test_without_structures_nothing_is_read_or_written(scan):
    item = LoadLabelMapd("label", "image", Structures())(scan)
    assert item == scan
    assert StructureSharesd("image", "label", Structures())(item) == scan


def test_crops_share_the_map_of_their_scan():
    known = LabelMap(labels(), np.eye(4))
    assert copy.deepcopy({"label": known})["label"] is known
