"""What of a store is of no use any more is listed, and removed when asked for."""

import os
import runpy
import sys
import warnings
from pathlib import Path

import pytest

from scripts.data.store import code
from scripts.data.store.items import ITEM
from scripts.data.store.prepared_store import PreparedStore
from scripts.data.store.stale import remove, stale_entries
from scripts.errors import InputError


@pytest.fixture
def store(tmp_path, prepared, scans):
    """Two prepared scans."""
    filled = PreparedStore(prepared(), tmp_path / "store")
    for scan in scans:
        filled.keep(scan)
    return filled


def reasons(store, **options):
    return [one.reason for one in stale_entries(store.folder, **options)]


def test_what_is_in_use_is_not_stale(store):
    assert reasons(store) == []


def test_a_scan_that_changed_or_went_leaves_a_stale_entry(store, scans, write_scan):
    write_scan(scans[0]["image"], (40, 30, 24), seed=5)
    Path(scans[1]["image"]).unlink()
    assert sorted(reasons(store)) == [f"{scans[0]['image']} has changed", f"{scans[1]['image']} is not there any more"]


def with_other_version(monkeypatch):
    """Of a package."""
    monkeypatch.setattr(code, "version", lambda name: "9.9")
    return "made with monai 1."


def with_other_python(monkeypatch):
    """Which has other words for what it compiles."""
    monkeypatch.setattr(code.platform, "python_version_tuple", lambda: ("4", "0", "1"))
    return "made with python 3."


def with_other_code(monkeypatch):
    """Of ours."""
    monkeypatch.setattr("scripts.data.store.stale.code_of", lambda names: dict.fromkeys(names, "edited"))
    return "made by another scripts.transforms.foreground, "


@pytest.mark.parametrize("change", [with_other_version, with_other_python, with_other_code])
def test_what_another_environment_made_is_stale_when_none_has_used_it_lately(store, scans, monkeypatch, change):
    os.utime(store.path_of(scans[0]) / ITEM, (0, 0))
    made = change(monkeypatch)
    (reason,) = reasons(store)
    assert reason.startswith(made) and "unused for" in reason
    assert len(reasons(store, others=0)) == 2


def test_who_reads_an_entry_uses_it(store, scans):
    for use in (store, store.mark):
        os.utime(store.path_of(scans[0]) / ITEM, (0, 0))
        use(scans[0])
        assert reasons(store, unused=30) == []


def test_what_was_not_used_for_long_is_stale_where_asked_for(store, scans):
    os.utime(store.path_of(scans[0]) / ITEM, (0, 0))
    assert reasons(store) == [] and reasons(store, unused=30)[0].startswith("unused for ")
    store.mark(scans[0])
    assert reasons(store, unused=30) == []


def test_what_a_process_left_is_stale_after_a_day(store):
    left = store.folder / f".{'a' * 32}.1.2@elsewhere"
    left.mkdir()
    assert reasons(store) == []
    os.utime(left, (0, 0))
    assert reasons(store) == ["left by a process that ended"]


def test_stale_entries_are_removed_and_others_stay(store, scans, write_scan):
    write_scan(scans[0]["image"], (40, 30, 24), seed=5)
    remove(stale_entries(store.folder))
    assert len(list(store.folder.iterdir())) == 1 and scans[1] in store and scans[0] not in store


def test_folders_of_others_beside_entries_are_not_touched(store):
    others = [store.folder / name for name in ("scans", ".git")]
    for other in others:
        other.mkdir()
        os.utime(other, (0, 0))
    assert reasons(store, unused=30) == []


def test_a_folder_without_prepared_scans_is_no_store(tmp_path):
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="holds no prepared scans"):
            stale_entries(folder)


def test_the_command_lists_and_removes(store, scans, capsys, monkeypatch):
    Path(scans[0]["image"]).unlink()
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    for more in ((), ("--remove",)):
        monkeypatch.setattr(sys, "argv", ["stale", str(store.folder), *more])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the module is imported already
            runpy.run_module("scripts.data.store.stale", run_name="__main__")
    told = capsys.readouterr().out
    assert "is not there any more" in told and "stale: 1 prepared scan, " in told
    assert told.rstrip().endswith("removed") and len(list(store.folder.iterdir())) == 1
