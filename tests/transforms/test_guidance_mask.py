"""Masks for a guidance, of scans with and without."""

import nibabel
import numpy as np
import pytest

from scripts.transforms.guidance_mask import LoadGuidanceMaskd


@pytest.fixture
def scan(write_scan, tmp_path):
    return str(write_scan(tmp_path / "scan.nii.gz", voxels=np.ones((6, 5, 4)), seed=3))


def test_a_scan_without_a_mask_has_an_empty_one_in_its_grid(scan, oblique):
    mask = LoadGuidanceMaskd("label")({"image": scan})["label"]
    assert mask.shape == (1, 6, 5, 4) and not mask.any() and np.allclose(mask.affine, oblique(3), atol=1e-4)


def test_a_scan_with_a_mask_has_it(scan, tmp_path):
    voxels = np.zeros((6, 5, 4), np.uint8)
    voxels[1, 2, 3] = 1
    nibabel.save(nibabel.Nifti1Image(voxels, nibabel.load(scan).affine), tmp_path / "mask.nii.gz")
    mask = LoadGuidanceMaskd("label")({"image": scan, "label": str(tmp_path / "mask.nii.gz")})["label"]
    assert mask[0].nonzero().tolist() == [[1, 2, 3]]
