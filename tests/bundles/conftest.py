"""Bundles as their users run them, on a small synthetic cohort."""

import contextlib
import csv
import functools
import io
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from fire.parser import DefaultParseValue
from monai.bundle import run as run_bundle

from scripts.data.phantom import make_cohort

COHORTS = "COHORTS_OF_TESTS"  # the folder of synthetic cohorts, for tests that other tests start
SMALL = {"spacing": [4.0, 4.0, 4.0], "max_epochs": 1, "crops_per_volume": 4, "batch_size": 2}
SMALL |= {"val_size": 1, "test_size": 1, "folds": 3}
TINY = {"_target_": "DenseNet", "init_features": 4, "growth_rate": 4, "block_config": [1, 1]}
TINY = {f"network_def#{key}": value for key, value in TINY.items()}


@pytest.fixture(scope="session")
def small():
    """Settings of a pretraining that takes seconds."""
    return {key: value for key, value in SMALL.items() if key != "folds"}


@pytest.fixture(scope="session")
def small_for(bodies):
    """A function: settings of a training of any bundle that takes seconds."""

    def settings(bundle):
        config = json.loads((bundle / "configs" / "train.json").read_text(encoding="utf-8"))
        small = {key: value for key, value in SMALL.items() if key in config}
        fewest = config.get("split", {}).get("fewest", 1)  # a bundle may tell subjects of each part from each other
        tables = {"tables": [str(bodies / "bodies.csv")]} if "tables" in config else {}
        return small | tables | {key: fewest for key in ("val_size", "test_size") if fewest > 1}

    return settings


@pytest.fixture(scope="session")
def tiny_for():
    """A function: settings of a network of a hundredth of DenseNet121, where a bundle has that."""

    def settings(bundle):
        config = json.loads((bundle / "configs" / "train.json").read_text(encoding="utf-8"))
        return TINY if config["network_def"]["_target_"] == "DenseNet121" else {}

    return settings


@pytest.fixture(scope="session")
def cohort(bodies, tmp_path_factory):
    """The first four of these bodies."""
    folder = tmp_path_factory.mktemp("cohort")
    for part in ("imagesTr", "labelsTr"):
        (folder / part).symlink_to(bodies / part)
    listing = json.loads((bodies / "dataset.json").read_text(encoding="utf-8"))
    (folder / "dataset.json").write_text(json.dumps(listing | {"training": listing["training"][:4]}), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def make_once(request, tmp_path_factory):
    """A function: a synthetic cohort, which the first process of the tests that needs it makes for all of them."""
    own = tmp_path_factory.getbasetemp()
    folder = Path(os.environ.get(COHORTS, own.parent if hasattr(request.config, "workerinput") else own))

    def cohort(name, **settings):
        with FileLock(folder / f"{name}.lock"):
            return make_cohort(folder / name, **settings)

    return cohort


@pytest.fixture(scope="session")
def bodies(make_once):
    """Six bodies, so that in each of three folds one with lesions and one without are trained on."""
    return make_once("phantom", subjects=6)


@pytest.fixture(scope="session")
def bodies_for(bodies, make_once):
    """A function: these bodies, or where a configuration asks for several images of a subject, four in two of them."""

    def cases():
        return make_once("cases", subjects=4, modalities=("t1", "ct"))

    def folder(bundle, kind="train"):
        text = (bundle / "configs" / f"{kind}.json").read_text(encoding="utf-8")
        return cases() if "find_cases" in text else bodies

    return folder


@pytest.fixture(scope="session")
def cohort_for(cohort, bodies, bodies_for, small_for):
    """A function: a cohort of which a bundle is trained in seconds."""

    def folder(bundle):
        small = small_for(bundle)
        alike = bodies_for(bundle) == bodies and "folds" not in small and small.get("val_size", 1) == 1
        return cohort if alike else bodies_for(bundle)

    return folder


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory):
    """A working folder far from any bundle, with a package `scripts` of its own."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "scripts").mkdir()
    (folder / "scripts" / "__init__.py").write_text(
        "raise RuntimeError('the scripts of the working folder')\n", encoding="utf-8"
    )
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
def run():
    """A function: run a bundle as its command line would, but in this process, and return what it printed."""

    def call(bundle, *configs, cwd=None, status=0, **overrides):
        files = [str(bundle / "configs" / f"{config}.json") for config in configs]
        settings = {key: DefaultParseValue(str(value)) for key, value in overrides.items()}
        ended = 0
        with as_in_a_process(cwd or bundle) as output:
            try:
                run_bundle(config_file=files, bundle_root=str(bundle), **settings)
            except Exception:
                sys.excepthook(*sys.exc_info())
                ended = 1
        assert ended == status, output.getvalue()[-3000:]
        return output.getvalue()

    return call


def plain_sheet(width, height):
    """A matplotlib Figure whose panels nobody moves apart."""
    from matplotlib.figure import Figure

    return Figure((width, height))


@contextlib.contextmanager
def as_in_a_process(cwd):
    """What is printed; folder, search path, error hook and loggers are afterwards as they were."""
    output, loggers = io.StringIO(), [logging.getLogger(name) for name in (None, "ignite", "monai.engines")]
    levels = [logger.level for logger in loggers]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr(sys, "path", list(sys.path))
        patch.setattr(sys, "excepthook", sys.__excepthook__)
        # UMAP compiles itself, and figures are laid out, for longer than a training takes; tests/reports tries both
        patch.setattr("scripts.reports.encoder_page.umap_points", lambda embedding, seed: embedding[:, :2])
        patch.setattr("scripts.reports.figure._laid_out", plain_sheet)
        for logger in loggers:
            patch.setattr(logger, "handlers", list(logger.handlers))
            patch.setattr(logger, "propagate", logger.propagate)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            yield output
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture(scope="session")
def launch(command):
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


@pytest.fixture
def run_two(forked, run):
    """A function: run a bundle in two processes as torchrun has them begin, but forked from this one."""

    def process(rank, port, bundle, *configs, **overrides):
        of_all = {"WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_ADDR": "localhost", "MASTER_PORT": port}
        os.environ |= {key: str(value) for key, value in {"RANK": rank, "LOCAL_RANK": rank, **of_all}.items()}
        print(run(bundle, *configs, **overrides))

    def printed(*words, **overrides):
        with socket.create_server(("localhost", 0)) as server:
            port = server.getsockname()[1]
        done = forked(*(functools.partial(process, rank, port, *words, **overrides) for rank in range(2)))
        output = "".join(one.stdout + one.stderr for one in done)
        assert [one.returncode for one in done] == [0, 0], output[-3000:]
        return output

    return printed


@pytest.fixture(scope="session")
def train(run, small_for, cohort_for, tmp_path_factory):
    """A function: folder of a run of one epoch of a bundle with overlays; each is trained once."""

    @functools.cache
    def folder(bundle, *overlays):
        output = tmp_path_factory.mktemp(bundle.name) / "run"
        run(bundle, "train", *overlays, dataset_dir=cohort_for(bundle), output_dir=output, **small_for(bundle))
        return output

    return folder


@pytest.fixture(scope="session")
def history():
    """A function: rows of the history of a run."""

    def rows(output):
        with open(output / "history.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return rows
