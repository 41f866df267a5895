"""Whether voxels of two files belong together."""

import gzip

import nibabel
import numpy as np
import pytest
from nibabel.affines import from_matvec

from scripts.data.nifti import in_one_grid, load_scan, voxels_apart, write_compressed
from scripts.errors import InputError

SHAPE = (72, 60, 30)


def image(affine, shape=SHAPE):
    return nibabel.Nifti1Image(np.zeros(shape, np.uint8), affine)


def moved(affine, voxels):
    """An affine whose voxels are so many further along each axis."""
    return from_matvec(affine[:3, :3], affine[:3, 3] + affine[:3, :3] @ voxels)


def test_a_shift_is_as_long_as_it_is_in_voxels_along_any_axis(oblique):
    for shift in np.eye(3):
        assert voxels_apart(oblique(0), moved(oblique(0), 0.3 * shift), SHAPE) == pytest.approx(0.3)


def test_a_wrong_spacing_adds_up_to_the_far_end(oblique):
    wrong = oblique(0).copy()
    wrong[:3, 0] *= 1.01
    assert voxels_apart(oblique(0), wrong, SHAPE) == pytest.approx(0.01 * 71, abs=1e-5)


def test_so_it_is_at_each_voxel_and_at_none_more(oblique):
    other = oblique(0) + 0.01 * np.random.RandomState(0).randn(4, 4) * [[1], [1], [1], [0]]
    voxels = np.argwhere(np.ones(SHAPE))
    there = nibabel.affines.apply_affine(np.linalg.inv(oblique(0)) @ other, voxels)
    assert voxels_apart(oblique(0), other, SHAPE) == pytest.approx(np.abs(there - voxels).max(), abs=1e-5)


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (2.0, 2.0, 2.0), (0.7, 0.7, 5.0)])
@pytest.mark.parametrize(("shift", "same"), [(0.0, True), (0.015, True), (0.32, True), (0.5, False), (2.5, False)])
def test_the_tolerance_is_the_same_in_any_spacing(oblique, spacing, shift, same):
    affine = oblique(0, spacing)
    assert in_one_grid(image(affine), image(moved(affine, [0, shift, 0]))) == same


def test_as_many_voxels_are_needed(oblique):
    assert not in_one_grid(image(oblique(0)), image(oblique(0), (72, 60, 29)))
    assert in_one_grid(image(oblique(0)), image(oblique(0), (*SHAPE, 2)))


def test_an_affine_that_is_none_is_far_from_any():
    assert voxels_apart(np.diag([1, 1, 0, 1.0]), np.eye(4), SHAPE) == np.inf


def test_a_file_that_is_no_scan_is_named(tmp_path):
    (tmp_path / "scan.nii").write_bytes(b"no scan")
    with pytest.raises(InputError, match=r"scan.nii cannot be read"):
        load_scan(tmp_path / "scan.nii")


def test_the_same_scan_is_the_same_file_at_any_time(tmp_path, monkeypatch):
    content = image(np.eye(4)).to_bytes()
    for now in (0, 1e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        write_compressed(tmp_path / f"{now:.0f}.nii.gz", content)
    first, second = (path.read_bytes() for path in tmp_path.iterdir())
    assert first == second and gzip.decompress(first) == content
