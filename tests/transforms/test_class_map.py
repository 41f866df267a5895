"""A label map becomes numbers of classes, and stays on its scan's voxels."""

import numpy as np
import torch
from monai.transforms import LoadImage

from scripts.data.structures import Structures
from scripts.transforms.class_map import LoadClassMapd


def test_values_become_numbers_of_classes_in_the_grid_of_the_scan(write_scan, tmp_path):
    voxels = np.zeros((20, 18, 16))
    voxels[3, 4, 5], voxels[6, 7, 8] = 12, 5
    image = str(write_scan(tmp_path / "scan.nii.gz"))
    item = {"image": image, "label": str(write_scan(tmp_path / "seg.nii.gz", voxels=voxels))}
    loaded = LoadClassMapd("label", Structures(("all",), ((5, 12),)))(item)
    assert loaded["image"] == image and loaded["label"].nonzero().tolist() == [[0, 3, 4, 5], [0, 6, 7, 8]]
    assert loaded["label"].max() == 1
    assert torch.equal(loaded["label"].affine, LoadImage()(image).affine)
