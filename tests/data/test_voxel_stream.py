"""Compressed scans are read as Python's gzip reads them, by whichever package."""

import gzip
import zlib

import nibabel as nib
import numpy as np
import pytest

from scripts.data import voxel_stream
from scripts.data.voxel_stream import open_stream, voxels_in

CONTENT = np.random.default_rng(0).integers(0, 50, 40000, dtype=np.int16).tobytes()
STREAM = gzip.compress(CONTENT, 6)


def flipped(place):
    """The stream with a byte changed."""
    changed = bytearray(STREAM)
    changed[place] ^= 0x41
    return bytes(changed)


@pytest.fixture(params=["igzip", "gzip"], autouse=True)
def _package(request, monkeypatch):
    """Each of both, where it is installed."""
    if request.param == "igzip" and not voxel_stream.HAS_IGZIP:
        pytest.skip("isal is not installed")
    monkeypatch.setattr(voxel_stream, "HAS_IGZIP", request.param == "igzip")


def read(path):
    with open_stream(path) as file:
        return b"".join(iter(lambda: file.read(5000), b""))


STREAMS = {
    "stream": (STREAM, CONTENT),
    "padded with zeros": (STREAM + bytes(700), CONTENT),
    "two streams": (STREAM + STREAM, CONTENT + CONTENT),
    **{f"level {level}": (gzip.compress(CONTENT, level), CONTENT) for level in (0, 1, 9)},
}


@pytest.mark.parametrize("stream, content", STREAMS.values(), ids=STREAMS)
def test_the_content_is_what_was_compressed(tmp_path, stream, content):
    (tmp_path / "scan.nii.GZ").write_bytes(stream)
    assert read(tmp_path / "scan.nii.GZ") == content


def test_a_file_that_is_not_compressed_is_read_as_it_is(tmp_path):
    (tmp_path / "scan.nii").write_bytes(STREAM)
    assert read(tmp_path / "scan.nii") == STREAM


CUTS = (5, 11, len(STREAM) // 2, len(STREAM) - 9, len(STREAM) - 1)
DAMAGED = {
    **{f"cut after {cut} bytes": (STREAM[:cut], EOFError) for cut in CUTS},
    **{f"byte {place} flipped": (flipped(place), gzip.BadGzipFile) for place in (0, 2, -1, -5)},
    "something else behind it": (STREAM + b"something else", gzip.BadGzipFile),
    "nothing but a header": (STREAM[:10] + b"\xff" * 500, zlib.error),
}


@pytest.mark.parametrize("stream, fault", DAMAGED.values(), ids=DAMAGED)
def test_faults_are_those_of_pythons_own(tmp_path, stream, fault):
    (tmp_path / "scan.nii.gz").write_bytes(stream)
    with pytest.raises(fault):
        read(tmp_path / "scan.nii.gz")


@pytest.mark.parametrize("slope", [None, 0.37])
def test_voxels_are_those_of_nibabel(tmp_path, oblique, slope):
    image = nib.Nifti1Image(np.frombuffer(CONTENT, np.int16).reshape(20, 40, 50), oblique(2))
    image.header.set_slope_inter(slope, None if slope is None else -3.25)
    nib.save(image, tmp_path / "scan.nii.gz")
    stored = nib.load(tmp_path / "scan.nii.gz").dataobj
    with open_stream(tmp_path / "scan.nii.gz") as file:
        voxels = voxels_in(file, stored)
    assert np.array_equal(voxels, np.asanyarray(stored)) and voxels.dtype == np.asanyarray(stored).dtype
