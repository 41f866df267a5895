"""Probabilities come out where the lesion is, in the scan's own grid."""

import csv
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage, Orientation

from scripts.handlers.save_lesion_maps import SaveLesionMaps


@pytest.fixture
def saved(write_scan, tmp_path):
    """A function: save maps of scans, all with these probabilities on the voxels of their reoriented image."""

    def run(paths, probabilities, threshold=0.5):
        handler = SaveLesionMaps(tmp_path / "out", threshold)
        for path in paths:
            image = Orientation("RAS", labels=None)(LoadImage(ensure_channel_first=True)(path))
            image.meta["filename_or_obj"] = str(path)
            lesions = probabilities(image)
            batch = [{"image": image, "subject": path.parent.name}]
            output = [{"lesion_map": lesions, "pred": lesions.amax((1, 2, 3))}]
            handler._save(SimpleNamespace(state=SimpleNamespace(batch=batch, output=output), data_loader=paths))
        with open(tmp_path / "out" / "scores.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return run


def at_bright_voxel(image):
    return MetaTensor(torch.where(image > 500, 0.75, 0.25)).as_tensor()


def test_the_map_is_in_the_scans_own_grid_and_the_score_is_its_largest(write_scan, saved, tmp_path, oblique):
    voxels = np.random.RandomState(0).uniform(1, 10, (20, 18, 16))
    voxels[4, 9, 12] = 1000
    path = write_scan(tmp_path / "in" / "scan.nii.gz", voxels=voxels, seed=3)
    (row,) = saved([path], at_bright_voxel)
    found = nibabel.load(tmp_path / "out" / "scan_lesions.nii.gz")
    assert found.shape == (20, 18, 16) and np.allclose(found.affine, oblique(3), atol=1e-4)
    assert np.unravel_index(found.get_fdata().argmax(), found.shape) == (4, 9, 12)
    assert float(row["score"]) == 0.75 and row["lesion"] == "1"
    place = oblique(3) @ [4, 9, 12, 1]
    assert [float(row[axis]) for axis in "xyz"] == pytest.approx(place[:3], abs=0.06)


def test_the_threshold_decides(write_scan, saved, tmp_path):
    path = write_scan(tmp_path / "in" / "scan.nii.gz")
    (row,) = saved([path], lambda image: torch.full(image.shape, 0.5), threshold=0.51)
    assert (row["score"], row["lesion"]) == ("0.5", "0")


def test_scans_of_one_name_do_not_overwrite_each_other(write_scan, saved, tmp_path):
    paths = [write_scan(tmp_path / subject / "scan.nii.gz") for subject in ("A", "B")]
    assert len(saved(paths, lambda image: torch.full(image.shape, 0.5))) == 2
    assert {path.name for path in (tmp_path / "out").glob("*.nii.gz")} == {
        "scan_lesions.nii.gz",
        "B_scan_lesions.nii.gz",
    }
