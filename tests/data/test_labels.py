"""A scan is labelled by its mask, or a sentence says why not."""

import numpy as np
import pytest

from scripts.data.labels import label_by_mask, scans_with_lesions
from scripts.errors import InputError

SCANS = [{"image": f"{name}.nii", "subject": name, "scan": number} for number, name in enumerate("ABC")]


@pytest.fixture
def masked(write_scan, tmp_path):
    """Two scans, the mask of the second of which has a voxel."""
    scans = []
    for number in range(2):
        voxels = np.zeros((20, 18, 16))
        voxels[3, 4, 5] = number
        image, label = tmp_path / f"{number}.nii.gz", tmp_path / f"{number}_seg.nii.gz"
        write_scan(image, seed=0)
        write_scan(label, voxels=voxels, seed=0)
        scans.append({"image": str(image), "label": str(label), "subject": str(number)})
    return scans


def test_a_scan_is_positive_where_its_mask_has_a_voxel(masked):
    assert [scan["class_label"] for scan in label_by_mask(masked)] == [0.0, 1.0]


def test_scans_without_a_mask_are_left_out(masked):
    assert len(label_by_mask([*masked, SCANS[0]])) == 2


def test_scans_with_lesions_are_those_with_a_voxel(masked):
    assert [scan["subject"] for scan in scans_with_lesions(masked)] == ["1"]


def test_no_lesion_at_all_is_refused(masked):
    with pytest.raises(InputError, match="None of 1 masks has a lesion"):
        scans_with_lesions(masked[:1])


def test_no_mask_at_all_is_refused():
    with pytest.raises(InputError, match="None of the scans has a mask"):
        label_by_mask(SCANS)
