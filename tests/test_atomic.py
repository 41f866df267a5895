"""Files that are whole or not there."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.atomic import (
    save_atomically,
    savez_atomically,
    write_atomically,
    write_csv_atomically,
    write_json_atomically,
)


@pytest.fixture
def failing_save(monkeypatch):
    """torch.save writes half of a file and fails, as on a full disk."""

    def save(content, path):
        with open(path, "wb") as file:
            file.write(b"half of a file")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", save)


def test_a_failing_write_leaves_the_old_file(tmp_path, request):
    save_atomically({"weight": torch.ones(3)}, tmp_path / "encoder.pt")
    before = (tmp_path / "encoder.pt").read_bytes()
    request.getfixturevalue("failing_save")
    with pytest.raises(OSError, match="No space"):
        save_atomically({"weight": torch.zeros(3)}, tmp_path / "encoder.pt")
    assert (tmp_path / "encoder.pt").read_bytes() == before


def test_a_failing_write_leaves_no_temporary_file(tmp_path, failing_save):
    with pytest.raises(OSError, match="No space"):
        save_atomically({}, tmp_path / "encoder.pt")
    assert not list(tmp_path.iterdir())


def test_a_write_that_is_killed_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: pytest.fail("never reached when killed before"))

    def killed(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", killed)
    assert (tmp_path / "file").read_text() == "old"


def test_the_name_stands_for_the_old_file_until_the_new_is_whole(tmp_path):
    (tmp_path / "file").write_text("old")
    seen = []

    def write(path):
        path.write_text("new")
        seen.append((tmp_path / "file").read_text())

    write_atomically(tmp_path / "file", write)
    assert [*seen, (tmp_path / "file").read_text()] == ["old", "new"]


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
    assert (tmp_path / "new" / "table.csv").read_text().splitlines() == ["name,value", '"with, comma",']


def test_json_holds_arrays_as_numbers_and_all_else_as_text(tmp_path):
    arrays = {"numpy": np.float32([0.5, 2]), "torch": torch.ones(1, 2), "number": np.int64(3)}
    write_json_atomically(tmp_path / "new" / "file.json", arrays | {"path": Path("/a/b"), "nothing": None})
    expected = {"numpy": [0.5, 2], "torch": [[1, 1]], "number": 3, "path": str(Path("/a/b")), "nothing": None}
    assert json.loads((tmp_path / "new" / "file.json").read_text()) == expected


def test_content_that_is_no_json_leaves_the_old_file(tmp_path):
    write_json_atomically(tmp_path / "file.json", {"old": 1})
    circular = {}
    circular["itself"] = circular
    with pytest.raises(ValueError, match="Circular"):
        write_json_atomically(tmp_path / "file.json", circular)
    assert json.loads((tmp_path / "file.json").read_text()) == {"old": 1}
