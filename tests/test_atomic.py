"""Files that are whole or not there."""

import json
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.atomic import (
    MACHINE,
    fill_folder_atomically,
    save_atomically,
    savez_atomically,
    write_atomically,
    write_csv_atomically,
    write_json_atomically,
)
from scripts.errors import InputError


@pytest.fixture
def full_disk():
    """A function that lets no file grow beyond some bytes from then on, as a disk that is filling up does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


WEIGHTS = {"weight": torch.ones(10_000)}


def test_a_full_disk_leaves_the_old_file_and_is_told_in_a_sentence(tmp_path, full_disk):
    path = tmp_path / "encoder.pt"
    save_atomically(WEIGHTS, path)
    before = path.read_bytes()
    full_disk(20_000)
    with pytest.raises(
        InputError, match=r"encoder\.pt cannot be written \(.+\); the file that was there before is whole"
    ):
        save_atomically(WEIGHTS, path)
    assert path.read_bytes() == before


def test_a_full_disk_leaves_no_temporary_file(tmp_path, full_disk):
    full_disk(20_000)
    with pytest.raises(InputError, match=r"encoder\.pt cannot be written \([^;]+: mend that"):
        save_atomically(WEIGHTS, tmp_path / "encoder.pt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [write_json_atomically, write_csv_atomically])
def test_a_full_disk_is_told_of_for_every_kind_of_file(tmp_path, full_disk, write):
    full_disk(1000)
    with pytest.raises(InputError, match="file cannot be written"):
        write(tmp_path / "file", [["word"] * 1000])


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"encoder\.pt cannot be written \(File exists\): mend that"):
        save_atomically(WEIGHTS, tmp_path / "file" / "encoder.pt")


def test_what_a_killed_process_was_writing_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    for process in (dead.pid, os.getppid()):
        (tmp_path / f".encoder.pt.{process}{MACHINE}").write_text("half", encoding="utf-8")
    (tmp_path / f".cohort.{dead.pid}{MACHINE}" / "imagesTr").mkdir(parents=True)
    write_json_atomically(tmp_path / "file.json", {})
    assert {path.name for path in tmp_path.iterdir()} == {"file.json", f".encoder.pt.{os.getppid()}{MACHINE}"}


def test_threads_that_write_one_file_at_once_do_not_meet(tmp_path):
    both = threading.Barrier(2, timeout=10)

    def write(temporary):
        temporary.write_text("whole", encoding="utf-8")
        both.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: write_atomically(tmp_path / "file", write), range(2)))
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("file", "whole")]


def test_equal_weights_are_equal_bytes(tmp_path):
    for name in ("a.pt", "b.pt"):
        save_atomically(WEIGHTS, tmp_path / name)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_a_write_that_is_killed_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "replace", lambda *_: pytest.fail("never reached when killed before"))

    def killed(path):
        path.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", killed)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "old"


def test_the_name_stands_for_the_old_file_until_the_new_is_whole(tmp_path):
    (tmp_path / "file").write_text("old", encoding="utf-8")
    seen = []

    def write(path):
        path.write_text("new", encoding="utf-8")
        seen.append((tmp_path / "file").read_text(encoding="utf-8"))

    write_atomically(tmp_path / "file", write)
    assert [*seen, (tmp_path / "file").read_text(encoding="utf-8")] == ["old", "new"]


def test_folders_are_made(tmp_path):
    savez_atomically(tmp_path / "new" / "folder" / "arrays.npz", a=np.arange(3))
    with np.load(tmp_path / "new" / "folder" / "arrays.npz") as stored:
        assert stored["a"].tolist() == [0, 1, 2]
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["arrays.npz"]


def test_a_table_is_written_whole_or_not_at_all(tmp_path):
    def rows():
        yield ["name", "value"]
        yield ["with, comma", None]
        if fail:
            raise RuntimeError("in the middle")

    fail = False
    write_csv_atomically(tmp_path / "new" / "table.csv", rows())
    fail = True
    with pytest.raises(RuntimeError, match="in the middle"):
        write_csv_atomically(tmp_path / "new" / "table.csv", rows())
    assert (tmp_path / "new" / "table.csv").read_text(encoding="utf-8").splitlines() == ["name,value", '"with, comma",']


def test_json_holds_arrays_as_numbers_and_all_else_as_text(tmp_path):
    arrays = {"numpy": np.float32([0.5, 2]), "torch": torch.ones(1, 2), "number": np.int64(3)}
    write_json_atomically(tmp_path / "new" / "file.json", arrays | {"path": Path("/a/b"), "nothing": None})
    expected = {"numpy": [0.5, 2], "torch": [[1, 1]], "number": 3, "path": str(Path("/a/b")), "nothing": None}
    assert json.loads((tmp_path / "new" / "file.json").read_text(encoding="utf-8")) == expected


def test_content_that_is_no_json_leaves_the_old_file(tmp_path):
    write_json_atomically(tmp_path / "file.json", {"old": 1})
    circular = {}
    circular["itself"] = circular
    with pytest.raises(ValueError, match="Circular"):
        write_json_atomically(tmp_path / "file.json", circular)
    assert json.loads((tmp_path / "file.json").read_text(encoding="utf-8")) == {"old": 1}


def test_a_folder_is_there_when_it_is_whole(tmp_path):
    def fill(folder):
        (folder / "a").write_text("a", encoding="utf-8")
        assert not (tmp_path / "entry").exists()

    fill_folder_atomically(tmp_path / "entry", fill)
    assert [path.name for path in tmp_path.rglob("*")] == ["entry", "a"]


def test_a_folder_that_cannot_be_filled_is_not_there(tmp_path):
    def fill(folder):
        (folder / "a").write_text("a", encoding="utf-8")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fill_folder_atomically(tmp_path / "entry", fill)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_another_process_made_meanwhile_stays(tmp_path):
    def fill(folder):
        (folder / "a").write_text("ours", encoding="utf-8")
        (tmp_path / "entry").mkdir()
        (tmp_path / "entry" / "a").write_text("theirs", encoding="utf-8")

    fill_folder_atomically(tmp_path / "entry", fill)
    assert (tmp_path / "entry" / "a").read_text(encoding="utf-8") == "theirs" and len(list(tmp_path.iterdir())) == 1
