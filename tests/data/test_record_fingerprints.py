"""The split of an older run gets the fingerprints of its scans."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from scripts.data.checks.scan_facts import examine
from scripts.data.record_fingerprints import record_fingerprints
from scripts.data.recorded import known_parts
from scripts.errors import InputError


@pytest.fixture
def older(tmp_path, write_scan, monkeypatch):
    """split.json with names alone, and the folder of its scans."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for seed, name in enumerate("ABC"):
        write_scan(tmp_path / "scans" / f"{name}.nii.gz", seed=seed)
    (tmp_path / "split.json").write_text(
        json.dumps({"train": ["A"], "validate": ["B"], "test": ["C"]}), encoding="utf-8"
    )
    return tmp_path / "split.json", tmp_path / "scans"


def test_its_scans_are_recognised_under_other_names(older):
    path, folder = older
    assert record_fingerprints(path, folder) == 3
    renamed = {"subject": "P", "fingerprint": examine(folder / "B.nii.gz").fingerprint}
    assert known_parts([renamed], path) == ["validate"]
    assert json.loads(path.read_text(encoding="utf-8"))["train"] == ["A"]


def test_scans_of_other_formats_are_where_the_run_converted_them(older, monkeypatch):
    path, folder = older
    image = nib.load(folder / "B.nii.gz")
    nib.save(nib.Nifti1Pair(image.get_fdata(dtype=np.float32), image.affine), folder / "B.img")
    (folder / "B.nii.gz").unlink()
    (path.parent / "elsewhere").mkdir()
    monkeypatch.chdir(path.parent / "elsewhere")
    assert record_fingerprints(path, folder) == 3
    assert (path.parent / "converted" / "B.nii.gz").is_file() and not list(Path.cwd().iterdir())


def test_another_folder_is_refused_and_the_split_kept(older):
    path, folder = older
    (folder / "C.nii.gz").unlink()
    before = path.read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r"has no scan of C, who is in .*split\.json"):
        record_fingerprints(path, folder)
    assert path.read_text(encoding="utf-8") == before
