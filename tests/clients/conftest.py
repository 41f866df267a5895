"""Bundles as they are published, in environments that do not have this repository: `make clients`."""

import csv
import os
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from nibabel.affines import apply_affine

from scripts.data.phantom import make_cohort
from scripts.data.phantom_body import ORGANS
from scripts.data.phantom_scan import draw_subject
from tools.release import write_release

WEIGHTS = (Path(__file__).parents[2] / "bundles").glob("*/models/model.pt")
BUNDLES = sorted(path.parents[1] for path in WEIGHTS)  # which are those that are published


def pytest_addoption(parser):
    parser.addoption("--core", metavar="PYTHON", help="that of an environment with the core packages alone")
    parser.addoption("--label", metavar="FOLDER", help="bin/ of an environment with MONAI Label")
    parser.addoption("--zoo", metavar="FOLDER", help="a checkout of MONAI's Model Zoo")


@pytest.fixture(scope="session")
def given(request):
    """A function: the absolute path in an option; without it, the test is skipped."""

    def path(option):
        value = request.config.getoption(option)
        if not value:
            pytest.skip(f"no {option} given")
        return os.path.abspath(value)  # not resolved: an environment's python is a link

    return path


@pytest.fixture(scope="session", params=BUNDLES, ids=lambda path: path.name)
def bundle(request):
    return request.param


@pytest.fixture(scope="session")
def zips(tmp_path_factory):
    """The zip of each bundle by name."""
    folder = tmp_path_factory.mktemp("dist")
    return {bundle.name: write_release(bundle, folder) for bundle in BUNDLES}


@pytest.fixture(scope="session")
def unzip(zips):
    """A function: put the folder of a published bundle into another."""

    def extract(name, folder):
        zipfile.ZipFile(zips[name]).extractall(folder)
        return folder / name

    return extract


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    """Six bodies of the kind that the classifier was trained on; every other one has lesions."""
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=6, lesions="large")


@pytest.fixture(scope="session")
def truth(cohort, tmp_path_factory):
    """Table of where the heart of the first of them is."""
    body = draw_subject(np.random.default_rng([0, 0]), None)  # organs are drawn before lesions
    heart = apply_affine(body.pose, body.organs[list(ORGANS).index("heart")].centre)
    table = tmp_path_factory.mktemp("truth") / "truth.csv"
    with open(table, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["scan", "name", "x", "y", "z"], ["phantom_000.nii.gz", "heart", *heart]])
    return table


@pytest.fixture(scope="session")
def call():
    """A function: run a program in a folder, and return what it printed."""

    def process(words, cwd, **environment):
        variables = os.environ | {"PYTHONPATH": "", "OMP_NUM_THREADS": "2"} | environment
        options = {"cwd": cwd, "env": variables, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run([*map(str, words)], **options)
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    return process


@pytest.fixture(scope="session")
def run(call):
    """A function: run configurations of a bundle with an environment's python."""

    def process(python, bundle, *configs, cwd, **overrides):
        files = [str(bundle / "configs" / f"{config}.json") for config in configs]
        options = [part for key, value in overrides.items() for part in (f"--{key}", value)]
        words = ["-W", "ignore", "-m", "monai.bundle", "run", "--config_file", files, "--bundle_root", bundle, *options]
        return call([python, *words], cwd)

    return process
