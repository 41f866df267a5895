"""A training's scans are in memory where it has room for them, and on disk where it has not."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from monai.transforms import Compose

from scripts.data.store import room


@pytest.fixture
def size(scans, prepared):
    """Bytes of both scans, prepared."""
    return sum(scan["image"].nbytes for scan in map(Compose(prepared()), scans))


@pytest.fixture
def store(scans, prepared, monkeypatch):
    """A function: the store of a training, which has so much memory."""

    def ask(memory, cache_rate=1.0, store_dir=None, scans=scans):
        monkeypatch.setattr(room, "memory_of_process", lambda: float(memory))
        return room.store_with_room(scans, prepared(), cache_rate, store_dir, "spare")

    return ask


def test_memory_keeps_what_it_has_room_for_beside_the_training(store, size):
    assert [store(size / room.ROOM * times) for times in (1.01, 0.99)] == [None, "spare"]


def test_it_is_said_what_scans_take_where_they_go_and_that_it_may_be_elsewhere(store, size, caplog, monkeypatch):
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: SimpleNamespace(free=3e9 if path == Path.cwd() else 0))
    store(size)
    assert f"2 scans take about {size / 1e9:.2g} GB, and memory has room for {0.6 * size / 1e9:.2g} GB:" in caplog.text
    assert "are kept in spare, whose disk has 3 GB left" in caplog.text and "--store_dir" in caplog.text


def test_nothing_is_said_where_memory_has_room(store, caplog):
    store(1e9)
    assert not caplog.messages


def test_what_half_of_the_scans_take_is_asked_where_half_is_to_be_in_memory(store, size, caplog):
    assert [store(size, cache_rate=rate) for rate in (0.5, 0.7)] == [None, "spare"]
    assert f"2 scans take about {size / 1e9:.2g} GB" in caplog.text


@pytest.mark.parametrize("memory", [0, 1000])
def test_where_no_scan_is_to_be_in_memory_none_needs_a_store(store, memory):
    assert store(memory, cache_rate=0.0) is None


def test_a_store_that_was_given_keeps_scans_whatever_memory_has_room_for(store):
    assert [store(memory, store_dir="fast") for memory in (0, 1e9)] == ["fast", "fast"]


def test_null_on_a_command_line_is_no_store(store):
    assert store(1e9, store_dir="null") is None and store(1000, store_dir="null") == "spare"


def test_processes_of_a_machine_share_its_memory(store, size, monkeypatch, caplog):
    monkeypatch.setattr(room, "processes_here", lambda: 3)
    assert [store(size / room.ROOM * times) for times in (3.03, 2.97)] == [None, "spare"]
    assert "GB in each of 3 processes: they are" in caplog.text


def test_the_scan_that_tells_is_no_outlier(store, scans, write_scan, tmp_path, size):
    small = scans[0] | {"image": str(write_scan(tmp_path / "small.nii.gz", (9, 9, 9)))}
    large = scans[0] | {"image": str(write_scan(tmp_path / "large.nii.gz", (99, 99, 99)))}
    for outlier in (small, large):
        three = [outlier, *scans]
        assert [store(size * 1.5 / room.ROOM * times, scans=three) for times in (1.05, 0.95)] == [None, "spare"]


def test_small_files_are_not_prepared_to_see_that_they_fit(store, monkeypatch):
    monkeypatch.setattr(room, "Compose", None)
    assert store(1e9) is None


def test_no_scans_need_no_store(store):
    assert store(0, scans=[]) is None


def test_bytes_are_those_of_all_arrays_of_an_item():
    assert room._bytes({"image": torch.zeros(5), "more": [torch.zeros(2).numpy(), ("text", 3, None)]}) == 28
