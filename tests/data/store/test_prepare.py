"""Scans are put into a store by several processes, and what is there is not made again."""

import multiprocessing
import shutil

import pytest
import torch

from scripts.data.store import prepare, prepared_store
from scripts.data.store.prepare import prepare_scans
from scripts.data.store.prepared_store import PreparedStore
from scripts.errors import InputError


@pytest.fixture
def store(tmp_path, prepared):
    return PreparedStore(prepared(), tmp_path / "store")


@pytest.fixture
def alone(monkeypatch):
    """This process alone prepares."""
    monkeypatch.setattr(prepare, "scans_at_once", lambda paths: 1)


def entries(store):
    return sorted(store.folder.iterdir())


@pytest.mark.parametrize("processes", [1, 2])
def test_all_scans_are_put_there(store, scans, monkeypatch, processes):
    monkeypatch.setattr(prepare, "scans_at_once", lambda paths: processes)
    state = torch.get_rng_state()
    prepare_scans(store, scans)
    assert all(scan in store for scan in scans) and len(entries(store)) == 2
    assert torch.equal(state, torch.get_rng_state())  # on which what a training draws depends


def test_where_it_was_stopped_it_goes_on(store, scans, alone, monkeypatch, caplog):
    caplog.set_level("INFO")
    made = []
    prepared = prepared_store.write_item

    def stopped(*args):
        if made:
            raise KeyboardInterrupt
        made.append(prepared(*args))

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepared_store, "write_item", stopped)
        prepare_scans(store, scans)
    (first,) = entries(store)
    time = first.stat().st_mtime_ns
    prepare_scans(store, scans)
    assert first.stat().st_mtime_ns == time and len(entries(store)) == 2
    assert "has 0 of 2 prepared scans" in caplog.text and "has 1 of 2 prepared scans" in caplog.text


def test_nothing_is_said_where_all_are_there(store, scans, alone, caplog):
    prepare_scans(store, scans)
    caplog.set_level("INFO")
    caplog.clear()
    prepare_scans(store, scans)
    assert not caplog.messages


def put_there(store, scans):
    prepare_scans(store, scans)


def test_two_trainings_may_fill_a_store_at_once(store, scans, tmp_path):
    scans = [
        scans[i % 2] | {"image": str(shutil.copy(scans[i % 2]["image"], tmp_path / f"{i}.nii.gz")), "subject": f"P{i}"}
        for i in range(6)
    ]
    both = [multiprocessing.get_context("fork").Process(target=put_there, args=(store, scans)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.exitcode for one in both] == [0, 0]
    assert len(entries(store)) == 6 and all(scan in store for scan in scans)
    assert all(torch.equal(store.open(scan)["image"], store.prepare(scan)["image"]) for scan in scans)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_disk_that_fills_is_one_sentence_with_what_all_need(store, scans, monkeypatch, processes):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prepare, "scans_at_once", lambda paths: processes)
    monkeypatch.setattr(prepared_store, "write_item", full)
    with pytest.raises(InputError, match=r"cannot take .* and 2 scans of that size .* GB") as refusal:
        prepare_scans(store, scans)
    assert "Traceback" not in str(refusal.value) and not entries(store)


def test_where_transforms_cannot_be_sent_to_other_processes_this_one_prepares(store, scans, monkeypatch):
    monkeypatch.setattr(prepare, "scans_at_once", lambda paths: 2)
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda: "spawn")
    store.prepare.transforms[0].func = lambda x: x
    prepare_scans(store, scans)
    assert len(entries(store)) == 2


def test_other_processes_that_begin_anew_can_be_sent_transforms(store):
    from multiprocessing.reduction import ForkingPickler

    assert ForkingPickler.dumps(store)
