"""A release is whole, the same wherever it is made, and found by those who look for it."""

import hashlib
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from monai.bundle.scripts import _get_git_release_url

from scripts.errors import InputError
from tools.release import model_info, release_address, write_release

ROOT = Path(__file__).parents[2]
BUNDLES = sorted(path.parents[1] for path in (ROOT / "bundles").glob("*/models/model.pt"))
METADATA = {"version": "0.2.0", "changelog": {"0.2.0": "new", "0.1.0": "first"}}
FILES = {
    "LICENSE": "free",
    "configs/metadata.json": json.dumps(METADATA),
    "configs/inference.json": "{}",
    "configs/logging.conf": "",
    "docs/README.md": "about",
    "models/model.pt": "weights",
}
OTHER = {
    "output/checkpoint.pt": "a run",
    "models/checkpoint.pt": "a run",
    "models/patient.nii.gz": "a person",
    "configs/.train.json": "of an editor",
    "docs/.DS_Store": "of a file manager",
    "docs/README.md~": "of an editor",
    "notes.txt": "",
}


@pytest.fixture
def bundle(tmp_path):
    """A bundle with a person's own files in it, whose scripts are a link."""

    def write(root, files):
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")

    write(tmp_path / "bundles" / "mine", FILES | OTHER)
    write(tmp_path / "scripts", {"__init__.py": "", "losses/loss.py": "loss", "losses/__pycache__/loss.pyc": ""})
    (tmp_path / "bundles" / "mine" / "scripts").symlink_to("../../scripts")
    return tmp_path / "bundles" / "mine"


def test_a_release_has_the_bundle_in_one_folder_and_nothing_else(bundle, tmp_path):
    path = write_release(bundle, tmp_path / "dist")
    assert path.name == "mine_v0.2.0.zip"
    expected = {f"mine/{name}" for name in [*FILES, "scripts/__init__.py", "scripts/losses/loss.py"]}
    assert set(zipfile.ZipFile(path).namelist()) == expected


def test_a_release_holds_every_file_of_scripts(tmp_path):
    path = write_release(ROOT / "bundles" / "isimed_pretraining", tmp_path)
    tracked = subprocess.run(["git", "ls-files", "scripts"], cwd=ROOT, capture_output=True, text=True, check=True)
    released = {name.partition("/")[2] for name in zipfile.ZipFile(path).namelist()}
    assert set(tracked.stdout.split()) == {name for name in released if name.startswith("scripts/")}


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_a_release_holds_every_file_of_a_bundle(bundle, tmp_path):
    words = ["git", "ls-files", "LICENSE", "configs", "docs", "models"]
    tracked = subprocess.run(words, cwd=bundle, capture_output=True, text=True, check=True)
    released = {name.partition("/")[2] for name in zipfile.ZipFile(write_release(bundle, tmp_path)).namelist()}
    assert set(tracked.stdout.split()) == {name for name in released if not name.startswith("scripts/")}


def test_links_are_files_in_a_release(bundle, tmp_path):
    zipfile.ZipFile(write_release(bundle, tmp_path / "dist")).extractall(tmp_path / "out")
    code = tmp_path / "out" / "mine" / "scripts" / "losses" / "loss.py"
    assert code.read_text(encoding="utf-8") == "loss" and not code.parent.is_symlink()


def test_a_release_has_the_same_bytes_whenever_and_by_whomever_it_is_made(bundle, tmp_path):
    first = write_release(bundle, tmp_path / "first").read_bytes()
    for path in bundle.rglob("*"):
        os.utime(path, (1e9, 1e9))
    (bundle / "LICENSE").chmod(0o600)
    assert write_release(bundle, tmp_path / "second").read_bytes() == first


def test_its_checksum_stands_beside_it(bundle, tmp_path):
    path = write_release(bundle, tmp_path)
    digest, name = (tmp_path / "mine_v0.2.0.zip.sha256").read_text(encoding="utf-8").split()
    assert (digest, name) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.name)


def test_monai_finds_a_release_at_the_address_that_is_written(bundle, tmp_path):
    path = write_release(bundle, tmp_path)
    info = model_info([path], release_address("me/ours/v2"))["mine_v0.2.0"]
    assert info["source"] == _get_git_release_url("me", "ours", "v2", path.name)
    assert info["checksum"] == hashlib.sha1(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["LICENSE", "configs/inference.json", "models/model.pt"])
def test_a_bundle_that_lacks_something_is_refused(bundle, tmp_path, name):
    (bundle / name).unlink()
    with pytest.raises(InputError, match=f"mine has no {name}"):
        write_release(bundle, tmp_path)


@pytest.mark.parametrize("metadata", [METADATA | {"version": "0.3.0"}, {"version": "0.3.0"}, {"changelog": {}}])
def test_a_version_that_is_not_told_of_is_refused(bundle, tmp_path, metadata):
    (bundle / "configs" / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    with pytest.raises(InputError, match=r"metadata\.json needs a version, and a line of the changelog for it"):
        write_release(bundle, tmp_path)


def test_metadata_that_are_no_json_are_named(bundle, tmp_path):
    (bundle / "configs" / "metadata.json").write_text("{,}", encoding="utf-8")
    with pytest.raises(InputError, match=r"metadata\.json is no JSON"):
        write_release(bundle, tmp_path)


def test_a_file_that_is_too_large_is_refused(bundle, tmp_path):
    os.truncate(bundle / "models" / "model.pt", 25_000_001)
    with pytest.raises(InputError, match=r"model\.pt has more than 25 MB"):
        write_release(bundle, tmp_path)


@pytest.mark.parametrize("release", ["ours/v2", "me/ours/", "me/ours/v2/more"])
def test_an_address_of_another_form_is_refused(release):
    with pytest.raises(InputError, match="give owner/repository/tag"):
        release_address(release)
