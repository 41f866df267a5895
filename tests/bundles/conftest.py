"""Bundles as their users run them: whole processes, on a small synthetic cohort."""

import csv
import functools
import os
import subprocess
import sys

import pytest

from scripts.data.phantom import make_cohort

SMALL = {
    "spacing": "[4.0,4.0,4.0]",
    "max_epochs": 1,
    "crops_per_volume": 4,
    "batch_size": 2,
    "val_size": 1,
    "test_size": 1,
}


@pytest.fixture(scope="session")
def small():
    """Settings of a training that takes seconds."""
    return dict(SMALL)


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=4, seed=0)


@pytest.fixture(scope="session")
def bodies(tmp_path_factory):
    """Six bodies, so that in each of three folds one with lesions and one without are trained on."""
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=6)


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory):
    """A working folder far from any bundle, with a package `scripts` of its own."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "scripts").mkdir()
    (folder / "scripts" / "__init__.py").write_text("raise RuntimeError('the scripts of the working folder')\n")
    return folder


@pytest.fixture(scope="session")
def command():
    """A function: the words that run a bundle's configurations with overrides."""

    def words(bundle, *configs, bundle_root=None, **overrides):
        files = [str(bundle / "configs" / f"{config}.json") for config in configs]
        settings = {"bundle_root": bundle_root or bundle, **overrides}
        options = [str(part) for key, value in settings.items() for part in (f"--{key}", value)]
        return ["-m", "monai.bundle", "run", "--config_file", str(files), *options]

    return words


@pytest.fixture(scope="session")
def run(command):
    """A function: run a bundle in a process of its own and return what it printed."""

    def process(bundle, *configs, cwd=None, launcher=(), status=0, **overrides):
        words = [sys.executable, "-W", "ignore", *launcher, *command(bundle, *configs, **overrides)]
        environment = os.environ | {"PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
        options = {"capture_output": True, "text": True, "timeout": 600, "env": environment}
        done = subprocess.run(words, cwd=cwd or bundle, **options)
        output = done.stdout + done.stderr
        assert done.returncode == status, output[-3000:]
        return output

    return process


@pytest.fixture(scope="session")
def train(run, cohort, tmp_path_factory):
    """A function: folder of a run of one epoch of a bundle with overlays; each is trained once."""

    @functools.cache
    def folder(bundle, *overlays):
        output = tmp_path_factory.mktemp(bundle.name) / "run"
        run(bundle, "train", *overlays, dataset_dir=cohort, output_dir=output, **SMALL)
        return output

    return folder


@pytest.fixture(scope="session")
def history():
    """A function: rows of the history of a run."""

    def rows(output):
        with open(output / "history.csv", newline="") as file:
            return list(csv.DictReader(file))

    return rows
