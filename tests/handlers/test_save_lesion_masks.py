"""Each scan has its mask, in its own grid, and a line that says so."""

import csv
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage, SaveImage

from scripts.handlers.save_lesion_masks import SaveLesionMasks


@pytest.fixture
def scans(write_scan, tmp_path):
    """Scans of two subjects in files of the same name."""
    return [write_scan(tmp_path / "in" / subject / "scan.nii.gz", seed=seed) for seed, subject in enumerate("AB")]


@pytest.fixture
def rows(scans, tmp_path):
    """Lines of masks.csv, of scans whose mask has 10 voxels."""
    handler = SaveLesionMasks(tmp_path / "out")
    for path in scans:
        image = LoadImage(ensure_channel_first=True)(path)
        mask = MetaTensor(torch.zeros(image.shape), affine=image.affine)
        mask[0, 2:7, 3:5, 4] = 1
        state = {"batch": [{"image": image, "subject": path.parent.name}], "output": [{"pred": mask}]}
        handler._save(SimpleNamespace(state=SimpleNamespace(**state), data_loader=scans))
    with open(tmp_path / "out" / "masks.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_monais_own_writer_loses_a_mask(scans, tmp_path):
    saver = SaveImage(tmp_path / "out", "mask", separate_folder=False, print_log=False)
    for path in scans:
        saver(LoadImage(ensure_channel_first=True)(path))
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_every_mask_is_kept_and_it_is_said_whose_it_is(rows, scans, tmp_path):
    assert [(row["image"], row["subject"], row["mask"]) for row in rows] == [
        (str(scans[0]), "A", "scan_lesion_mask.nii.gz"),
        (str(scans[1]), "B", "B_scan_lesion_mask.nii.gz"),
    ]
    assert all((tmp_path / "out" / row["mask"]).is_file() for row in rows)


def test_a_mask_is_in_its_scans_grid(rows, tmp_path):
    for row in rows:
        mask, scan = nibabel.load(tmp_path / "out" / row["mask"]), nibabel.load(row["image"])
        assert mask.shape == scan.shape and np.allclose(mask.affine, scan.affine, atol=1e-4)
        assert mask.get_data_dtype() == np.uint8 and np.argwhere(mask.get_fdata())[0].tolist() == [2, 3, 4]


def test_its_volume_is_in_millilitres(rows):
    assert [float(row["volume_ml"]) for row in rows] == pytest.approx([10 * 1.5 * 2.5 * 3.5 / 1000] * 2, abs=1e-3)
