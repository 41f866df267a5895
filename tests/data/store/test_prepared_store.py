"""What a store gives back is what the transforms make, and nothing else."""

import errno
import json
import os
import resource
import shutil
import sys
import threading

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import LoadImaged, MapTransform

from scripts.data.checks import content
from scripts.data.store import code, items, prepared_store
from scripts.data.store.items import ITEM
from scripts.data.store.prepared_store import PreparedStore
from scripts.errors import InputError
from scripts.transforms.foreground import body_mask, inside_body
from scripts.transforms.load_modalities import LoadModalitiesd


class Counted(MapTransform):
    """Counts what it is given."""

    calls = 0

    def __call__(self, data):
        Counted.calls += 1
        return {**data, "times": torch.ones(2000)}


@pytest.fixture
def store(tmp_path, prepared):
    """A function: a store, as another process opens it, whose scans are counted as they are prepared."""
    Counted.calls = 0

    def make(spacing: float = 3.0, **changed):
        transforms = [*prepared(spacing), Counted("image")]
        for name, value in changed.items():
            setattr(transforms[0], name, value)
        return PreparedStore(transforms, tmp_path / "store")

    return make


def entries(tmp_path):
    return sorted(path.name for path in (tmp_path / "store").iterdir())


def same(one, other):
    """Whether two items have equal values, types and affines."""
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert type(value) is type(other[key]), key
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(other[key])) if key not in NAMES else True
    assert torch.equal(one["image"].affine, other["image"].affine) and one["image"].dtype == other["image"].dtype
    return all(one[key] == other[key] for key in NAMES)


NAMES = ("subject", "scan")


def test_an_item_is_what_the_transforms_make_of_it(store, scans):
    for scan in scans:
        made = store().prepare(scan)
        kept, again = store()(scan), store()(scan)
        assert same(made, kept) and same(made, again)
        assert kept["image"].meta["filename_or_obj"] == scan["image"]
        assert [one["class"] for one in kept["image"].applied_operations] == [
            one["class"] for one in made["image"].applied_operations
        ]


def test_a_scan_is_prepared_once(store, scans):
    for _ in range(3):
        assert [store()(scan)["scan"] for scan in scans] == [0, 1]
    assert Counted.calls == 2


def test_a_scan_that_was_moved_and_has_another_number_is_known(store, scans, tmp_path):
    store()(scans[0])
    (tmp_path / "elsewhere").mkdir()
    moved = scans[0] | {"image": str(shutil.copy(scans[0]["image"], tmp_path / "elsewhere" / "a.nii.gz")), "scan": 7}
    found = store()(moved)
    assert Counted.calls == 1 and found["scan"] == 7 and found["image"].meta["filename_or_obj"] == moved["image"]


def test_a_person_who_has_another_number_among_those_of_tables_is_known(store, scans):
    found = [store()(scans[0] | {"person": number})["person"] for number in (0, 5)]
    assert Counted.calls == 1 and found == [0, 5]


def test_another_argument_of_a_transform_is_a_miss(store, scans):
    shapes = [store(spacing)(scans[0])["image"].shape for spacing in (3.0, 4.0, 3.0)]
    assert Counted.calls == 2 and shapes[0] == shapes[2] != shapes[1]


def test_another_function_among_the_arguments_is_a_miss(store, scans):
    names = {store().path_of(scans[0]), store(select=body_mask).path_of(scans[0])}
    assert len(names | {store(select=inside_body).path_of(scans[0])}) == 3


def test_expressions_of_configurations_are_told_apart(store, scans):
    one, same_one, other = (eval(text) for text in ("lambda x: x * 2", "lambda x: x * 2", "lambda x: x * 3"))
    names = [store(func=function).path_of(scans[0]) for function in (one, same_one, other)]
    assert names[0] == names[1] != names[2]


def test_an_expression_is_told_by_what_it_refers_to(store, scans):
    def name(factor):
        parser = ConfigParser({"factor": factor, "function": "$lambda x: [x[..., :1] * @factor for _ in x]"})
        return store(func=parser.get_parsed_content("function")).path_of(scans[0])

    assert name(2) == name(2) != name(3)


def test_a_transform_that_has_been_used_is_the_same(store, scans, prepared, tmp_path):
    transforms = prepared()
    before = PreparedStore(transforms, tmp_path / "store")
    before(scans[0])
    assert PreparedStore(transforms, tmp_path / "store").path_of(scans[0]) == before.path_of(scans[0])


def test_a_changed_scan_is_a_miss(store, scans, write_scan):
    first = store()(scans[0])["image"].clone()
    write_scan(scans[0]["image"], (40, 30, 24), seed=5)
    assert not torch.equal(first, store()(scans[0])["image"]) and Counted.calls == 2


def test_a_scan_that_changed_in_place_with_its_size_and_time_is_a_miss(store, scans, tmp_path, monkeypatch):
    monkeypatch.setattr(content, "FRESH", 0)
    path = tmp_path / "scans" / "a.nii"
    nib.save(nib.load(scans[0]["image"]), path)
    scan, before = scans[0] | {"image": str(path)}, path.stat()
    first = store()(scan)["image"].clone()
    raw = bytearray(path.read_bytes())
    raw[-10000:] = np.full(2500, 90, np.float32).tobytes()
    path.write_bytes(raw)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    monkeypatch.setattr(content, "known", {})
    assert path.stat().st_size == before.st_size and not torch.equal(first, store()(scan)["image"])


def test_a_scan_that_changes_while_it_is_prepared_is_not_kept(store, scans, write_scan, tmp_path, monkeypatch):
    def replaced(self, data):
        write_scan(scans[0]["image"], (40, 30, 24), seed=5)
        return {**data, "times": torch.ones(2000)}

    monkeypatch.setattr(Counted, "__call__", replaced)
    with pytest.raises(InputError, match=r"P0.nii.gz changed while it was prepared"):
        store()(scans[0])
    assert not (tmp_path / "store").exists()


def test_files_are_those_of_the_item_in_whatever_order_and_though_two_are_one(store, scans, tmp_path):
    copy = str(shutil.copy(scans[0]["image"], tmp_path / "copy.nii.gz"))
    transforms = [LoadImaged(["image", "other"], ensure_channel_first=True)]
    for scan in ({"image": copy, "other": scans[0]["image"]}, {"image": copy, "other": copy}):
        for keys in (("image", "other"), ("other", "image")):
            item = PreparedStore(transforms, tmp_path / "store")({"again": copy, **{key: scan[key] for key in keys}})
            assert {key: item[key].meta["filename_or_obj"] for key in scan} == scan


def test_images_of_another_order_are_a_miss(scans, tmp_path):
    store = PreparedStore([LoadModalitiesd("image")], tmp_path / "store")
    images = {"t1": scans[0]["image"], "t2": scans[1]["image"]}
    one, other = (
        store({"image": images["t1"], "modalities": {name: images[name] for name in names}})["image"]
        for names in (("t1", "t2"), ("t2", "t1"))
    )
    assert torch.equal(one, other.flip(0)) and not torch.equal(one, other)


def test_another_number_among_many_is_a_miss(store, scans):
    numbers = np.zeros(5000)
    names = [store().path_of(scans[0] | {"numbers": numbers + (np.arange(5000) == i)}) for i in (2000, 3000)]
    assert names[0] != names[1]


def test_another_affine_of_the_same_voxels_is_a_miss(store, scans):
    store()(scans[0])
    image = nib.load(scans[0]["image"])
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), image.affine + np.eye(4)[:, ::-1]), scans[0]["image"])
    store()(scans[0])
    assert Counted.calls == 2


@pytest.mark.parametrize("package", ["monai", "torch", "scipy"])
def test_another_version_of_a_package_is_a_miss(store, scans, monkeypatch, package):
    store()(scans[0])
    monkeypatch.setattr(code, "version", lambda name: "0.0" if name == package else "1.0")
    store()(scans[0])
    assert Counted.calls == 2


def test_another_python_is_a_miss_and_a_package_that_is_not_installed_has_no_version(store, scans, monkeypatch):
    def missing(name):
        raise code.PackageNotFoundError(name)

    names = {store().path_of(scans[0])}
    with monkeypatch.context() as patch:
        patch.setattr(code.platform, "python_version_tuple", lambda: ("4", "0", "1"))
        names.add(store().path_of(scans[0]))
    monkeypatch.setattr(code, "version", missing)
    assert len(names | {store().path_of(scans[0])}) == 3 and code.versions()["scipy"] == ""


def test_another_version_of_our_code_is_a_miss(store, scans, monkeypatch):
    store()(scans[0])
    monkeypatch.setattr("scripts.data.store.identity.code_of", lambda modules: dict.fromkeys(modules, "edited"))
    store()(scans[0])
    assert Counted.calls == 2


@pytest.mark.parametrize("broken", ["no item", "half an item", "half an array", "no array"])
def test_what_is_half_written_is_a_miss(store, scans, tmp_path, broken):
    whole = store()(scans[0])["image"].clone()
    (entry,) = (tmp_path / "store").iterdir()
    path = entry / (ITEM if "item" in broken else "0.npy")
    raw = path.read_bytes()
    path.unlink() if broken.startswith("no") else path.write_bytes(raw[: len(raw) // 2])
    assert torch.equal(store()(scans[0])["image"], whole) and Counted.calls == 2


def test_a_killed_process_leaves_nothing_that_is_taken_for_an_entry(store, scans, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(items, "_settle", killed)
        store()(scans[0])
    assert not entries(tmp_path) and scans[0] not in store()


def test_what_a_faster_process_wrote_stays(store, scans, tmp_path, monkeypatch):
    slow, fast = store(), store()
    written = prepared_store.write_item

    def late(folder, *args):
        monkeypatch.undo()
        thread = threading.Thread(target=fast, args=(scans[0],))
        thread.start()
        thread.join()
        written(folder, *args)

    monkeypatch.setattr(prepared_store, "write_item", late)
    assert same(slow(scans[0]), fast(scans[0])) and len(entries(tmp_path)) == 1


def test_a_full_disk_is_one_sentence_and_nothing_is_broken(store, scans, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    store()(scans[0])
    with monkeypatch.context() as patch:
        patch.setattr(items.np, "save", full)
        with pytest.raises(InputError, match=r"^/.*store cannot take .*No space left.* needs .* GB"):
            store()(scans[1])
    assert len(entries(tmp_path)) == 1 and scans[0] in store() and scans[1] not in store()


def test_a_disk_that_takes_half_of_an_array_leaves_nothing(store, scans, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"^/.*store cannot take another prepared scan"):
            store()(scans[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not entries(tmp_path)


def test_what_is_written_to_an_item_does_not_reach_the_store(store, scans):
    item = store()(scans[0])
    before = item["image"].clone()
    item["image"] += 1
    assert torch.equal(store()(scans[0])["image"], before)


def test_an_entry_says_what_it_was_made_of(store, scans, tmp_path):
    store()(scans[0])
    (entry,) = (tmp_path / "store").iterdir()
    about = json.loads((entry / ITEM).read_text(encoding="utf-8"))["about"]
    assert list(about["files"]) == [scans[0]["image"]] and about["names"][0] == "LoadImaged"
    assert "scripts.transforms.foreground" in about["code"] and about["versions"]["torch"] == torch.__version__[:6]


def test_comments_and_docstrings_are_no_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    texts = [
        'from other_of_mine import NUMBER\ndef f(x):\n    """Twice."""\n    return NUMBER * x\n',
        "from other_of_mine import NUMBER\ndef f(x):\n    return NUMBER * x  # twice\n",
        "from other_of_mine import NUMBER\ndef f(x):\n    return NUMBER + x\n",
    ]
    (tmp_path / "other_of_mine.py").write_text("NUMBER = 2\n", encoding="utf-8")
    found = []
    for text in texts:
        (tmp_path / "transform_of_mine.py").write_text(text, encoding="utf-8")
        found.append(code.code_of(["transform_of_mine"]))
    assert found[0] == found[1] != found[2] and "transform_of_mine" not in sys.modules


def test_what_a_package_takes_from_its_modules_is_its_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "package_of_mine").mkdir()
    (tmp_path / "package_of_mine" / "__init__.py").write_text("from .inner import NUMBER\n", encoding="utf-8")
    (tmp_path / "package_of_mine" / "inner.py").write_text("NUMBER = 2\n", encoding="utf-8")
    assert list(code.code_of(["package_of_mine"])) == ["package_of_mine", "package_of_mine.inner"]
