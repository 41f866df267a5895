"""What was found in a file is remembered by what is in it."""

import shutil

import pytest

from scripts.data.checks import remembered
from scripts.data.checks.remembered import cache_folder, facts_of
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


def test_what_is_remembered_and_cannot_be_read_is_found_again(reads, monkeypatch, tmp_path, write_scan):
    path = write_scan(tmp_path / "a.nii.gz")
    first = facts_of(path)
    (kept,) = cache_folder().iterdir()
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
