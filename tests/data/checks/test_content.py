"""A file is known by its bytes, which are read once."""

import os
import shutil

import pytest

from scripts.data.checks import content
from scripts.data.checks.content import content_of


@pytest.fixture
def reads(monkeypatch, tmp_path):
    """An empty cache, and a list that grows by each file that is read."""
    paths, read = [], content._read
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(content, "known", {})
    monkeypatch.setattr(content, "FRESH", -1)
    monkeypatch.setattr(content, "_read", lambda path, state: paths.append(path) or read(path, state))
    return paths


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"content")
    return tmp_path / "a.nii"


def forget(monkeypatch):
    """As another process."""
    monkeypatch.setattr(content, "known", {})


def test_a_file_is_read_once(reads, monkeypatch, file):
    first = content_of(file)
    forget(monkeypatch)
    assert content_of(file) == first and len(reads) == 1


def test_copies_have_the_content_of_a_file_and_others_have_not(reads, tmp_path, file):
    copy = shutil.copy(file, tmp_path / "b.nii")
    other = shutil.copy(file, tmp_path / "b.nii.gz")
    assert content_of(copy) == content_of(file) != content_of(other)


def test_a_file_that_changed_is_read_again_whatever_its_time_says(reads, monkeypatch, file):
    first, before = content_of(file), file.stat()
    file.write_bytes(b"CONTENT")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    forget(monkeypatch)
    assert content_of(file) != first


def test_what_was_written_a_moment_ago_may_yet_be_written_within_the_same_moment(reads, monkeypatch, file):
    monkeypatch.setattr(content, "FRESH", 2e9)
    content_of(file)
    forget(monkeypatch)
    content_of(file)
    assert len(reads) == 2


def test_a_record_that_cannot_be_read_or_written_is_done_without(reads, monkeypatch, tmp_path, file):
    first = content_of(file)
    (record,) = (content.cache_folder() / "contents").iterdir()
    for text in ("", "[]", "{}", "[1, 2"):
        record.write_text(text, encoding="utf-8")
        forget(monkeypatch)
        assert content_of(file) == first
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    forget(monkeypatch)
    assert content_of(file) == first


def test_a_file_that_is_not_there_has_none(reads, tmp_path):
    with pytest.raises(OSError, match="No such file"):
        content_of(tmp_path / "nowhere.nii")
