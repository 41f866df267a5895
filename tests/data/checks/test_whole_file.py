"""What keeps a file from being read as a scan is said, above all what the transforms would trip over."""

import gzip
import re

import nibabel as nib
import numpy as np
import pytest

from scripts.data.checks import whole_file
from scripts.data.checks.whole_file import Unusable, read_whole


@pytest.fixture(autouse=True)
def _small_files(monkeypatch):
    monkeypatch.setattr(whole_file, "SLACK", 2**20)


def truncated(path, write_scan):
    write_scan(path)
    path.write_bytes(path.read_bytes()[:-500])


def truncated_without_compression(path, write_scan):
    path = path.with_suffix("")  # .nii
    truncated(path, write_scan)
    return path


def no_nifti(path, write_scan):
    path.write_bytes(b"a photograph")


def empty(path, write_scan):
    path.touch()


def flat(path, write_scan):
    write_scan(path, voxels=np.ones((9, 8)))


def one_slice(path, write_scan):
    write_scan(path, voxels=np.ones((9, 8, 1)))


def series(path, write_scan):
    write_scan(path, voxels=np.ones((9, 8, 7, 3)))


def with_nan(path, write_scan):
    voxels = np.ones((9, 8, 7))
    voxels[1, 2, 3] = np.nan
    voxels[4, 4, 4] = np.inf
    write_scan(path, voxels=voxels)


def coloured(path, write_scan):
    voxels = np.zeros((9, 8, 7), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)


def five_axes(path, write_scan):
    write_scan(path, voxels=np.arange(504.0).reshape(9, 8, 7, 1, 1))


def singular(path, write_scan):
    image = nib.Nifti1Image(np.arange(504, dtype=np.float32).reshape(9, 8, 7), None)
    image.header.set_sform(np.diag([2.0, 0, 2, 1]), code=1)
    nib.save(image, path)


def in_micrometres(path, write_scan):
    image = nib.load(write_scan(path))
    image.header.set_xyzt_units("micron")
    nib.save(image, path)


def beyond_float32(path, write_scan):
    nib.save(nib.Nifti1Image(np.linspace(0, 1e39, 504).reshape(9, 8, 7), np.eye(4)), path)


def far_away(path, write_scan):
    write_scan(path, affine=np.array([[1, 0, 0, 1e9], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))


def huge_by_its_header(path, write_scan):
    raw = bytearray(gzip.decompress(write_scan(path).read_bytes()))
    raw[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    path.write_bytes(gzip.compress(raw))


def followed_by_zeros(path, write_scan):
    path.write_bytes(write_scan(path).read_bytes() + gzip.compress(bytes(2**21)))


def of_another_format(path, write_scan):
    return write_scan(path).rename(path.with_name("scan.nrrd"))


FAULTS = {
    truncated: "is truncated",
    truncated_without_compression: "is truncated",
    no_nifti: "cannot be read",
    empty: "cannot be read",
    flat: "is not 3D (shape 9x8)",
    one_slice: "is not 3D (shape 9x8x1)",
    series: "holds 3 volumes (shape 9x8x7x3)",
    with_nan: "has 2 voxels that are NaN or infinite",
    singular: "not invertible",
    coloured: "has voxels that are colours",
    five_axes: "is not 3D (shape 9x8x7x1x1)",
    in_micrometres: "by its header, which would be read as mm: multiply its affine by 0.001",
    beyond_float32: "has values that float32 cannot hold",
    far_away: "a kilometre or more",
    huge_by_its_header: "is truncated: by its header it has 108,000,000,000,000 bytes of voxels",
    followed_by_zeros: "goes on long after its voxels",
    of_another_format: "is no NIfTI file (.nii, .nii.gz): convert it",
}


@pytest.mark.parametrize("spoil", list(FAULTS), ids=lambda spoil: spoil.__name__)
def test_the_fault_of_a_scan_is_said(spoil, tmp_path, write_scan):
    path = tmp_path / "scan.nii.gz"
    path = spoil(path, write_scan) or path
    with pytest.raises(Unusable, match=re.escape(FAULTS[spoil])):
        read_whole(path)


def test_a_stream_whose_checksum_does_not_fit_is_damaged(tmp_path, write_scan, damage):
    damage(write_scan(tmp_path / "scan.nii.gz"))
    with pytest.raises(Unusable, match=r"is damaged \(CRC check failed"):
        read_whole(tmp_path / "scan.nii.gz")


def test_a_fourth_axis_of_one_passes(tmp_path, write_scan):
    voxels, _ = read_whole(write_scan(tmp_path / "scan.nii.gz", voxels=np.arange(504.0).reshape(9, 8, 7, 1)))
    assert voxels.shape == (9, 8, 7)
