"""A training's data set draws the same crops from a store as from memory."""

import numpy as np
import torch
from monai.data import DataLoader, Dataset
from monai.data.utils import set_rnd
from monai.transforms import Compose
from monai.utils import set_determinism

from scripts.data.drawn import Drawn
from scripts.data.store import prepare, prepared_store
from scripts.data.store.dataset import preparation, prepared_dataset
from scripts.data.store.items import is_whole
from scripts.transforms.repeatable import Repeatable


def drawn(scans, prepared, crops, workers=0, **where):
    """Crops of two epochs, as a trainer seeds them."""
    set_determinism(0)
    steps = prepared()
    data = prepared_dataset(scans, Compose([*steps, *crops()]), steps, **where)
    loader = DataLoader(data, batch_size=2, shuffle=True, num_workers=workers)
    batches = []
    for epoch in range(2):
        set_determinism(epoch)
        set_rnd(data, epoch)
        batches += list(loader)
    return batches


def same(one, other):
    for crop, again in zip(one, other, strict=True):
        for key in ("image", "location", "voxel", "origin", "scan"):
            assert torch.equal(torch.as_tensor(crop[key]), torch.as_tensor(again[key])), key
        assert torch.equal(crop["image"].affine, again["image"].affine)
        assert crop["subject"] == again["subject"]
    return True


def test_crops_are_those_of_scans_in_memory(scans, prepared, crops, tmp_path):
    store = {"store_dir": str(tmp_path / "store")}
    in_memory, put_there, found = (drawn(scans, prepared, crops, **where) for where in ({}, store, store))
    assert same(in_memory, put_there) and same(in_memory, found)
    assert not torch.equal(in_memory[0]["image"], in_memory[1]["image"])


def test_crops_are_those_of_scans_in_memory_where_other_processes_load(scans, prepared, crops, tmp_path):
    in_memory = drawn(scans, prepared, crops, workers=2)
    assert same(in_memory, drawn(scans, prepared, crops, workers=2, store_dir=str(tmp_path / "store")))


def test_null_on_a_command_line_is_no_store(scans, prepared, crops, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert same(drawn(scans, prepared, crops), drawn(scans, prepared, crops, store_dir="null"))
    preparation(prepared(), "null")(scans[0])
    assert not (tmp_path / "null").exists()


def test_transforms_behind_a_store_are_seeded_as_behind_memory(scans, prepared, crops, tmp_path):
    def drawn_behind(**where):
        steps = prepared()
        data = Dataset(prepared_dataset(scans, Compose(steps), steps, **where), Compose(crops()))
        set_rnd(data, 3)
        return data[0]

    assert same(drawn_behind(), drawn_behind(store_dir=str(tmp_path)))


def test_what_is_repeated_is_drawn_of_what_the_store_has(scans, prepared, crops, tmp_path):
    validated = [
        list(prepared_dataset(scans, Compose([*steps, Repeatable(Compose(crops()))]), steps, store_dir=folder))
        for steps, folder in ((prepared(), None), (prepared(), str(tmp_path)), (prepared(), str(tmp_path)))
    ]
    assert all(same(one, other) for other in validated[1:] for one, other in zip(validated[0], other, strict=True))


def test_draws_of_a_scan_are_those_of_a_prepared_one(scans, prepared, crops, tmp_path):
    in_memory, stored = (
        Drawn(scans, preparation(prepared(), folder), Repeatable(Compose(crops())), 2, cache_rate=0.0)
        for folder in (None, str(tmp_path))
    )
    assert all(same(in_memory[i], stored[i]) for i in range(4))


def test_two_processes_fill_an_empty_store_and_draw_what_one_draws_without(
    scans, prepared, crops, tmp_path, in_two_processes, monkeypatch
):
    made = []
    write = prepared_store.write_item
    monkeypatch.setattr(prepared_store, "write_item", lambda *args: made.append(args) or write(*args))
    monkeypatch.setattr(prepare, "scans_at_once", lambda paths: 1)  # each process prepares by itself, and counts

    def drawn_and_counted():
        batches = drawn(scans, prepared, crops, store_dir=str(tmp_path / "store"))
        return [batch["image"].as_tensor().numpy() for batch in batches], len(made)

    alone = drawn(scans, prepared, crops)
    (one, made_by_one), (other, made_by_other) = in_two_processes(drawn_and_counted)
    for batch, first, second in zip(alone, one, other, strict=True):
        assert np.array_equal(batch["image"], first) and np.array_equal(first, second)
    assert 2 <= made_by_one + made_by_other <= 4  # two scans: each is prepared once, or by both
    entries = list((tmp_path / "store").iterdir())
    assert len(entries) == 2 and all(map(is_whole, entries))


def test_transforms_of_a_store_are_those_that_all_begin_with(scans, prepared, crops, tmp_path):
    try:
        prepared_dataset(scans, Compose([*prepared(), *crops()]), prepared(), store_dir=str(tmp_path))
    except ValueError as error:
        assert "begin with" in str(error)
    else:
        raise AssertionError
