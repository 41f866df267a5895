"""Each scan has its maps of uncertainty, in its own grid, and a line with their means where something is segmented."""

import csv
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage

from scripts.handlers.save_uncertainty import SaveUncertainty


@pytest.fixture
def scans(write_scan, tmp_path):
    """Scans of two subjects in files of the same name."""
    return [write_scan(tmp_path / "in" / subject / "scan.nii.gz", seed=seed) for seed, subject in enumerate("AB")]


@pytest.fixture
def rows(scans, tmp_path):
    """Lines of uncertainty.csv, of a scan in which four voxels are segmented, and one in which none is."""
    handler = SaveUncertainty(tmp_path / "out")
    for path, label in zip(scans, (2, 0), strict=True):
        image = LoadImage(ensure_channel_first=True)(path)
        zeros = torch.zeros(image.shape)
        segmentation, entropy, information = zeros.clone(), zeros + 0.25, zeros.clone()
        segmentation[0, 2:6, 3, 4] = label
        information[0, 2, 3, 4] = 0.5
        maps = {"pred": segmentation, "entropy": entropy, "mutual_information": information}
        output = {key: MetaTensor(one, affine=image.affine) for key, one in maps.items()}
        state = {"batch": [{"image": image, "subject": path.parent.name}], "output": [output]}
        handler._save(SimpleNamespace(state=SimpleNamespace(**state), data_loader=scans))
    with open(tmp_path / "out" / "uncertainty.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_it_is_said_whose_each_map_is(rows, scans):
    assert [(row["image"], row["subject"], row["entropy_file"], row["mutual_information_file"]) for row in rows] == [
        (str(scans[0]), "A", "scan_entropy.nii.gz", "scan_mutual_information.nii.gz"),
        (str(scans[1]), "B", "B_scan_entropy.nii.gz", "B_scan_mutual_information.nii.gz"),
    ]


def test_a_map_is_in_its_scans_grid(rows, tmp_path):
    for row in rows:
        found, scan = nibabel.load(tmp_path / "out" / row["mutual_information_file"]), nibabel.load(row["image"])
        assert found.shape == scan.shape and np.allclose(found.affine, scan.affine, atol=1e-4)
        assert found.get_data_dtype() == np.float32 and np.argwhere(found.get_fdata()).tolist() == [[2, 3, 4]]


def test_means_are_those_of_what_is_segmented_and_there_is_none_of_nothing(rows):
    assert [(row["entropy"], row["mutual_information"]) for row in rows] == [("0.25", "0.125"), ("", "")]
