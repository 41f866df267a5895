"""A mask comes to the crops as what it means, in the grid of its scan."""

import nibabel
import numpy as np
import pytest
import torch
from monai.transforms import Compose, LoadImaged, Orientationd, Spacingd

from scripts.data.labels import label_by_mask
from scripts.data.mask_meaning import BINARY, MaskMeaning
from scripts.transforms.lesion_mask import LoadLesionMaskd

SHAPE = (20, 18, 16)


@pytest.fixture
def scan(write_scan, tmp_path):
    """A function: item of a scan with a mask of these voxels, whose affine may be off."""

    def write(voxels, off=0.0):
        image, label = write_scan(tmp_path / "scan.nii.gz", SHAPE), tmp_path / "mask.nii.gz"
        affine = nibabel.load(image).affine * [1 + off, 1 + off, 1 + off, 1]
        nibabel.save(nibabel.Nifti1Image(voxels, affine, dtype=voxels.dtype), label)
        return {"image": str(image), "label": str(label), "subject": "a"}

    return write


def organ_and_tumour(tumour=2):
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[4:12, 4:12, 4:12] = 1
    voxels[6:8, 6:8, 6:8] = tumour
    return voxels


def test_a_mask_is_where_the_lesion_is_on_the_scans_voxels(scan):
    item = scan(organ_and_tumour())
    loaded = LoadLesionMaskd("label", meaning=MaskMeaning((2,)))(item)["label"]
    assert loaded.dtype == torch.bool and torch.equal(loaded[0].as_tensor(), torch.from_numpy(organ_and_tumour() == 2))
    assert np.allclose(loaded.affine, nibabel.load(item["image"]).affine)


def test_an_item_is_left_as_it_was(scan):
    item = scan(organ_and_tumour(1))
    before = dict(item)
    assert LoadLesionMaskd("label")(item).keys() == before.keys() and item == before


@pytest.mark.parametrize("tumour", [0, 1, 2])
def test_a_scans_class_label_is_what_its_crops_see(scan, tumour):
    item, meaning = scan(organ_and_tumour(tumour)), MaskMeaning((2,)) if tumour == 2 else MaskMeaning((1,))
    (labelled,) = label_by_mask([item], meaning)
    assert labelled["class_label"] == float(LoadLesionMaskd("label", meaning=meaning)(item)["label"].any())


def test_a_mask_whose_spacing_is_rounded_is_resampled_with_its_scan(scan):
    item = scan(organ_and_tumour(1), off=0.02)
    both = ["image", "label"]
    prepare = Compose(
        [
            LoadLesionMaskd("label"),
            LoadImaged("image", ensure_channel_first=True),
            Orientationd(both, axcodes="RAS", labels=None),
            Spacingd(both, pixdim=(1.0, 1.0, 1.0), mode=["bilinear", "nearest"]),
        ]
    )
    prepared = prepare(item)
    assert prepared["image"].shape == prepared["label"].shape
    assert np.allclose(prepared["image"].affine, prepared["label"].affine)


def test_resampling_makes_no_value_between_two_others(scan):
    """Between background 0 and tumour 2 lies the organ's 1, were it not said before what is the lesion."""
    item = scan(organ_and_tumour())
    prepare = Compose(
        [LoadLesionMaskd("label", meaning=MaskMeaning((2,))), Spacingd("label", (0.7, 0.9, 1.3), mode="nearest")]
    )
    assert set(prepare(item)["label"].unique().tolist()) == {0.0, 1.0}


def test_several_masks_are_united(scan, tmp_path):
    item = scan(organ_and_tumour(1))
    other = np.zeros(SHAPE, np.uint8)
    other[15] = 1
    nibabel.save(nibabel.Nifti1Image(other, nibabel.load(item["label"]).affine), tmp_path / "other.nii")
    loaded = LoadLesionMaskd("label", meaning=BINARY)(item | {"label": [item["label"], str(tmp_path / "other.nii")]})
    assert torch.equal(loaded["label"][0].as_tensor(), torch.from_numpy((organ_and_tumour(1) + other) > 0))
