"""A preprocessed scan knows where its file ends."""

import numpy as np
import pytest
import torch
from monai.data import list_data_collate
from monai.transforms import Compose, LoadImaged, Orientationd, Spacingd, SpatialCropd
from nibabel.affines import apply_affine

from scripts.landmarks.loaded_scan import is_in_file

SHAPE = (40, 30, 24)
PREPROCESSING = Compose(
    [
        LoadImaged("image", ensure_channel_first=True),
        Orientationd("image", axcodes="RAS", labels=None),
        Spacingd("image", pixdim=(2.0, 2.0, 2.0)),
        SpatialCropd("image", roi_start=(4, 6, 8), roi_end=(20, 22, 24)),
    ]
)


@pytest.mark.parametrize("of_batch", [True, False])
@pytest.mark.parametrize(
    ("voxel", "is_there"), [((0, 29, 12), True), ((39.4, 3, 23.4), True), ((-0.6, 9, 9), False), ((20, 30, 12), False)]
)
def test_a_place_is_in_the_file_if_it_is_in_a_voxel_of_it_though_not_of_the_crop(
    write_scan, oblique, tmp_path, voxel, is_there, of_batch
):
    item = PREPROCESSING({"image": str(write_scan(tmp_path / "scan.nii.gz", SHAPE, affine=oblique(2)))})
    image = (list_data_collate([item])["image"] if of_batch else item["image"][None])[0]
    place = apply_affine(np.linalg.inv(image.affine.numpy()) @ oblique(2), voxel)
    assert is_in_file(torch.from_numpy(place), image) is is_there


def test_what_has_no_file_has_no_end():
    assert is_in_file(torch.tensor([99.0, 0, 0]), torch.zeros(1, 4, 4, 4))
