"""What was found in a file is remembered by what is in it."""

import shutil

import numpy as np
import pytest

from scripts.data.checks import remembered, scan_facts
from scripts.data.checks.content import cache_folder
from scripts.data.checks.remembered import VERSION, facts_of
from scripts.data.checks.scan_facts import examine


@pytest.fixture
def reads(monkeypatch, tmp_path):
    """An empty cache, and a list that grows by each file that is examined."""
    paths = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(remembered, "known", {})
    monkeypatch.setattr(remembered, "examine", lambda path: paths.append(path) or examine(path))
    return paths


def forget(monkeypatch):
    """As another process."""
    monkeypatch.setattr(remembered, "known", {})


def test_a_file_is_examined_once(reads, monkeypatch, tmp_path, write_scan):
    path = write_scan(tmp_path / "a.nii.gz")
    first = facts_of(path)
    forget(monkeypatch)
    assert facts_of(path) == first == examine(path) and len(reads) == 1


def test_a_copy_under_another_name_is_known(reads, tmp_path, write_scan):
    path = write_scan(tmp_path / "a.nii.gz")
    assert facts_of(shutil.copy(path, tmp_path / "b.nii.gz")) == facts_of(path) and len(reads) == 1


def test_another_content_of_the_same_name_is_examined(reads, tmp_path, write_scan):
    first = facts_of(write_scan(tmp_path / "a.nii.gz", seed=0))
    assert facts_of(write_scan(tmp_path / "a.nii.gz", seed=1)).fingerprint != first.fingerprint


def test_the_same_bytes_under_another_suffix_are_another_file(reads, tmp_path, write_scan):
    path = write_scan(tmp_path / "a.nii.gz")
    assert not facts_of(path).fault
    assert "cannot be read" in facts_of(shutil.copy(path, tmp_path / "a.nii")).fault


def test_a_file_that_got_the_suffix_that_it_lacked_is_a_scan(reads, tmp_path, write_scan):
    path = write_scan(tmp_path / "a.nii").rename(tmp_path / "a")
    assert "is no NIfTI file" in facts_of(path).fault
    (tmp_path / "link.nii").symlink_to(path)
    assert not facts_of(tmp_path / "link.nii").fault
    assert not facts_of(path.rename(tmp_path / "a.nii")).fault


def test_what_no_one_has_thought_of_is_tried_again(monkeypatch, tmp_path, write_scan):
    def fail(_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    path = write_scan(tmp_path / "a.nii.gz")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with monkeypatch.context() as lacking:
        lacking.setattr(scan_facts, "looks_like_mask", fail)
        assert "can't allocate memory" in facts_of(path).fault
    assert not facts_of(path).fault


def test_what_is_remembered_and_cannot_be_read_is_found_again(reads, monkeypatch, tmp_path, write_scan):
    path = write_scan(tmp_path / "a.nii.gz")
    first = facts_of(path)
    (kept,) = (cache_folder() / "scans").iterdir()
    for content in ("", "[]", '{"affine": []}'):
        kept.write_text(content, encoding="utf-8")
        forget(monkeypatch)
        assert facts_of(path) == first


def test_a_cache_that_cannot_be_written_is_done_without(reads, monkeypatch, tmp_path, write_scan):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert not facts_of(write_scan(tmp_path / "a.nii.gz")).fault


def test_a_file_that_is_not_there_is_no_memory(reads, tmp_path, write_scan):
    assert facts_of(tmp_path / "a.nii.gz").fault == "is not there"
    assert not facts_of(write_scan(tmp_path / "a.nii.gz")).fault


def ct(write_scan, path):
    """Facts of an ellipsoid in noisy air, round which is padding."""
    x, y, z = np.indices((24, 20, 16)) - np.array([11.5, 9.5, 7.5]).reshape(3, 1, 1, 1)
    inside = (x / 9) ** 2 + (y / 7) ** 2 + (z / 6) ** 2 < 1
    voxels = np.where(inside, 40 + 3 * x + 5 * y + 7 * z, -1000 + (x + y + z) % 3)
    voxels[x**2 + y**2 > 11.5**2] = -3024
    return examine(write_scan(path, voxels=voxels, affine=np.diag([1.5, 2, 2.5, 1])))


def blocks(write_scan, path, edge):
    """Whether blocks of this edge, each with its number, look like a mask."""
    numbers = np.arange(1, 126).reshape(5, 5, 5)
    return examine(write_scan(path, voxels=np.pad(np.kron(numbers, np.ones((edge, edge, edge))), 3))).mask_like


def values(write_scan, path, number):
    """Whether noise of so many values looks like a mask."""
    return examine(write_scan(path, voxels=np.arange(4000).reshape(20, 20, 10) % number)).mask_like


def test_what_is_found_in_a_file_is_what_this_version_finds(tmp_path, write_scan):
    scan = ct(write_scan, tmp_path / "ct.nii")
    found = {
        "fingerprint": scan.fingerprint,
        "padded": scan.padded,
        "box": round(scan.box, 4),
        "percentiles": [round(scan.percentiles[percent], 2) for percent in (0, 25, 50, 75, 100)],
        "masks": [blocks(write_scan, tmp_path / "blocks.nii", edge) for edge in (2, 3)],
        "few values": [values(write_scan, tmp_path / "values.nii", number) for number in (12, 13)],
    }
    assert (VERSION, found) == (
        1,
        {
            "fingerprint": "7115342aef44c77c2b495968e4ac7feb",
            "padded": True,
            "box": 0.3938,
            "percentiles": [-999.5, -998.5, -3.5, 42.5, 99.5],
            "masks": [False, True],
            "few values": [True, False],
        },
    ), "raise VERSION in remembered.py, or users are told what an older version found; then put the new facts here"
