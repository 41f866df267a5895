"""Each scan has a mask in its own grid, with the values that label maps had, and a line with volumes."""

import csv
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage

from scripts.data.regions import regions_of_classes
from scripts.data.structures import Structures
from scripts.handlers.save_segmentations import SaveSegmentations


@pytest.fixture
def left(write_scan, tmp_path):
    """Path of a scan, its mask and its line, of 10 voxels of the first class and 4 of the second."""

    def save(classes, regions=None):
        path = write_scan(tmp_path / "in" / "scan.nii.gz", seed=1)
        image = LoadImage(ensure_channel_first=True)(path)
        pred = MetaTensor(torch.zeros(image.shape), affine=image.affine)
        pred[0, 2:7, 3:5, 4], pred[0, 10, 10, 2:6] = 1, 2
        state = {"batch": [{"image": image, "subject": "A"}], "output": [{"pred": pred}]}
        handler = SaveSegmentations(tmp_path / "out", classes, regions_of_classes(classes, regions or {}))
        handler._save(SimpleNamespace(state=SimpleNamespace(**state), data_loader=[path]))
        with open(tmp_path / "out" / "segmentations.csv", encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        return path, nibabel.load(tmp_path / "out" / row["mask"]), row

    return save


def test_a_mask_has_the_first_value_of_each_class_and_the_grid_of_its_scan(left):
    path, mask, row = left(Structures(("kidneys", "liver"), ((47, 48), (7,))))
    scan = nibabel.load(path)
    assert row["mask"] == "scan_segmentation.nii.gz" and np.allclose(mask.affine, scan.affine, atol=1e-4)
    voxels = np.asarray(mask.dataobj)
    assert np.unique(voxels, return_counts=True)[1].tolist() == [voxels.size - 14, 4, 10]
    assert voxels[2, 3, 4] == 47 and voxels[10, 10, 2] == 7 and mask.get_data_dtype() == np.uint8


def test_large_values_are_kept(left):
    _, mask, _ = left(Structures(("a", "b"), ((12175,), (1,))))
    assert mask.dataobj[2, 3, 4] == 12175


def test_volumes_are_in_millilitres(left):
    _, _, row = left(Structures(("a", "b"), ((1,), (2,))))
    voxel = 1.5 * 2.5 * 3.5 / 1000
    assert [float(row[name]) for name in ("a_ml", "b_ml")] == pytest.approx([10 * voxel, 4 * voxel], abs=1e-3)


def test_regions_have_volumes_in_place_of_classes(left):
    _, _, row = left(Structures(("a", "b"), ((1,), (2,))), {"both": ["a", "b"], "b": ["b"]})
    voxel = 1.5 * 2.5 * 3.5 / 1000
    assert [float(row[name]) for name in ("both_ml", "b_ml")] == pytest.approx([14 * voxel, 4 * voxel], abs=1e-3)
    assert "a_ml" not in row
