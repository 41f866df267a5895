"""A scan is known by its content, not by its name or the way in which it is stored."""

import nibabel as nib
import numpy as np
import pytest

from scripts.data.checks.fingerprint import join_subjects
from scripts.data.checks.scan_facts import examine

VOXELS = np.random.default_rng(0).integers(0, 200, (9, 8, 7)).astype(np.int16)


@pytest.fixture
def mark(oblique, tmp_path):
    """A function: the fingerprint of a file with these voxels."""

    def make(voxels=VOXELS, affine=None, name="scan.nii.gz", **header):
        image = nib.Nifti1Image(voxels, oblique() if affine is None else affine)
        for key, value in header.items():
            image.header[key] = value
        nib.save(image, tmp_path / name)
        return examine(tmp_path / name).fingerprint

    return make


def test_compression_name_type_and_texts_change_nothing(mark):
    files = [
        mark(name="other.nii"),
        mark(VOXELS.astype(np.float64)),
        mark(VOXELS.astype(">i4")),
        mark(VOXELS[..., None]),
        mark(descrip=b"another name", db_name=b"someone"),
    ]
    assert files == 5 * [mark()]


def test_a_scale_in_the_header_counts_as_values_do(mark, tmp_path, oblique):
    image = nib.Nifti1Image(VOXELS.astype(np.uint8), oblique())
    image.header.set_slope_inter(0.5, 3)
    nib.save(image, tmp_path / "scaled.nii.gz")
    assert examine(tmp_path / "scaled.nii.gz").fingerprint == mark(VOXELS * 0.5 + 3)


def test_the_order_in_which_axes_are_stored_changes_nothing(mark, oblique):
    affine = oblique()
    turned = nib.Nifti1Image(VOXELS, affine).as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    assert turned.shape != VOXELS.shape and mark(np.asarray(turned.dataobj), turned.affine) == mark()


def test_one_voxel_another_order_or_another_shape_is_another_scan(mark):
    changed = VOXELS.copy()
    changed[4, 4, 4] += 1
    files = [mark(), mark(changed), mark(VOXELS[::-1]), mark(VOXELS.reshape(9, 7, 8)), mark(VOXELS[1:])]
    assert len(set(files)) == len(files)


def scan(subject, mark):
    return {"image": f"/{subject}/{mark}.nii", "subject": subject, "fingerprint": mark}


def test_subjects_that_share_a_scan_are_one_and_that_is_said(caplog):
    scans = [scan("Eve", "a"), scan("Ann", "a"), scan("Eve", "b"), scan("Ben", "c")]
    assert [one["subject"] for one in join_subjects(scans)] == ["Ann", "Ann", "Ann", "Ben"]
    assert "two subjects (/Eve/a.nii and /Ann/a.nii): they are taken for one" in caplog.text


def test_subjects_are_one_through_others(caplog):
    scans = [scan("C", "x"), scan("B", "y"), scan("A", "x"), scan("A", "z"), scan("B", "z"), scan("D", "y")]
    assert {one["subject"] for one in join_subjects(scans)} == {"A"}


def test_scans_that_differ_keep_their_subjects_in_silence(caplog):
    scans = [scan("A", "x"), scan("A", "x"), scan("B", "y")]
    assert join_subjects(scans) == scans and not caplog.text
