"""Small scans, and a training small enough to run whole in a test."""

import functools
import gc
import json
import logging
import multiprocessing
import operator
import os
import runpy
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ComponentLocator
from monai.transforms import Randomizable
from monai.utils import get_seed, set_determinism
from torch import nn

ROOT = Path(__file__).parent.parent
THREADS = torch.get_num_threads()
BUNDLES = sorted(path.parent for path in (ROOT / "bundles").glob("*/LICENSE"))
sys.path.insert(0, str(ROOT))  # where the package is not installed


def pytest_addoption(parser):
    parser.addoption("--scans", metavar="FOLDER", help="real scans to check the bundle's weights on")
    parser.addoption("--schema", metavar="FILE", help="the Model Zoo's schema of metadata.json")
    parser.addoption("--two-hosts", action="store_true", help="trainings over two hosts: as root, on Linux")
    parser.addoption("--every-bundle", action="store_true", help="all bundles where one of a kind is enough as a rule")


def pytest_configure(config):
    config.addinivalue_line("markers", "one_of_a_kind: for the first alone of the bundles of a kind, which run alike")
    config.addinivalue_line("markers", "one_of_all: for the first bundle alone")


def pytest_collection_modifyitems(config, items):
    """Deselects what is tested for one of several bundles that are alike, unless --every-bundle is given."""
    if not config.getoption("--every-bundle"):
        config.hook.pytest_deselected(items=[item for item in items if not is_needed(item)])
        items[:] = [item for item in items if is_needed(item)]
    gc.collect()
    gc.freeze()  # modules and tests stay: nobody has to look through them again and again


def bundle_of(item) -> Path | None:
    """The bundle that is a parameter of a test, if one is."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return next((value for value in parameters if isinstance(value, Path) and value in BUNDLES), None)


def is_needed(item) -> bool:
    """Whether no bundle before that of a test is as good for it."""
    bundle, one_of_all = bundle_of(item), item.get_closest_marker("one_of_all")
    if bundle is None or not (one_of_all or item.get_closest_marker("one_of_a_kind")):
        return True
    return not [other for other in BUNDLES[: BUNDLES.index(bundle)] if one_of_all or kind(other) == kind(bundle)]


@functools.cache
def kind(bundle: Path) -> tuple[str, str | None]:
    """What a bundle is for, and whether it has a pretext task (`control`), compares two views of a crop (`view`) or
    classifies bags (`pooling`)."""
    train = bundle / "configs" / "train.json"
    config = json.loads(train.read_text(encoding="utf-8")) if train.is_file() else {}
    return bundle.name.rpartition("_")[2], next((key for key in ("control", "view", "pooling") if key in config), None)


@pytest.fixture(autouse=True)
def _random_state():
    """The same random numbers in each test, whichever tests run before it."""
    if get_seed() is not None:
        set_determinism(None)
    if torch.cuda.is_available():
        torch.manual_seed(0)
    torch.default_generator.manual_seed(0)  # for GPUs, PyTorch keeps a stack trace
    np.random.seed(0)
    Randomizable.R = np.random.RandomState(0)  # of all transforms that have none of their own


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory):
    """A folder in place of the user's own, also of the processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _components():
    """All that MONAI's modules hold, which each of its parsers looks for anew, is found once for the same modules."""
    find = ComponentLocator._find_classes_or_functions
    once = functools.cache(lambda modules: find(None, modules))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ComponentLocator, "_find_classes_or_functions", lambda self, modules: once(tuple(modules)))
        yield


@pytest.fixture(autouse=True)
def _threads():
    """As many as there were at first: with UMAP, numba raises the number of OpenMP's, which are PyTorch's as well."""
    torch.set_num_threads(THREADS)


@pytest.fixture(scope="session")
def oblique():
    """A function: an oblique, anisotropic affine for each seed."""

    def make(seed: int = 0, spacing=(1.5, 2.5, 3.5)) -> np.ndarray:
        rng = np.random.RandomState(seed)
        rotation, _ = np.linalg.qr(np.eye(3) + 0.3 * rng.randn(3, 3))
        affine = np.eye(4)
        affine[:3, :3] = rotation * np.sign(np.diag(rotation)) * spacing
        affine[:3, 3] = rng.uniform(-100, 100, 3)
        return affine

    return make


@pytest.fixture(scope="session")
def write_scan(oblique):
    """A function: write a NIfTI file, of a bright body in noisy air unless voxels are given; its folder is made."""

    def write(path, shape=(20, 18, 16), voxels=None, affine=None, seed: int = 0) -> Path:
        if voxels is None:
            rng = np.random.RandomState(seed)
            voxels = rng.uniform(1, 10, shape)
            voxels[tuple(slice(3, size - 3) for size in shape)] += 100 + 50 * rng.rand()
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        affine = oblique(seed) if affine is None else affine
        nib.save(nib.Nifti1Image(np.asarray(voxels, np.float32), affine), path)
        return path

    return write


@pytest.fixture
def unseen_bodies(monkeypatch):
    """Scans of synthetic cohorts are noise of 4³ voxels, for tests of all but what they show."""

    def noise():
        return np.random.randint(1, 1000, (4, 4, 4)).astype(np.int16)

    monkeypatch.setattr("scripts.data.phantom.render", lambda _: (noise(), np.zeros((4, 4, 4), np.uint8)))
    monkeypatch.setattr("scripts.data.phantom.render_modality", lambda subject, *_: (noise(), subject.affine))


@pytest.fixture
def in_two_processes(tmp_path):
    """A function: what another one returns in each of two processes, which are forked and reach each other by gloo."""
    context, started = multiprocessing.get_context("fork"), []

    def work(rank, function, pipe):
        torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=rank, world_size=2)
        pipe.send(function())
        torch.distributed.destroy_process_group()

    def start(rank, function):
        ours, theirs = context.Pipe(duplex=False)
        started.append(context.Process(target=work, args=(rank, function, theirs)))
        started[-1].start()
        theirs.close()  # its end is seen here when the process ends
        return ours

    def results(function):
        torch.set_num_threads(1)  # threads do not survive a fork
        pipes = [start(rank, function) for rank in range(2)]
        assert all(pipe.poll(120) for pipe in pipes), "they wait for each other"
        return [pipe.recv() for pipe in pipes]

    yield results
    for process in started:
        process.kill()


@pytest.fixture
def forked(tmp_path_factory):
    """A function: what others print, each in a process of its own beside the other, and how these end.

    They are forked from this one, where all that they import is there: a new one would import it for seconds.
    """

    def work(function, folder):
        for number, name in enumerate(("stdout", "stderr"), 1):
            setattr(sys, name, (folder / name).open("w", encoding="utf-8"))
            os.dup2(getattr(sys, name).fileno(), number)
        os.chdir(ROOT)
        sys.excepthook = sys.__excepthook__
        logging.root.handlers.clear()  # those of whatever ran here before
        try:
            function()
        except (Exception, KeyboardInterrupt):
            sys.excepthook(*sys.exc_info())
            sys.exit(1)

    def start(function):
        folder = tmp_path_factory.mktemp("forked")
        process = multiprocessing.get_context("fork").Process(target=work, args=(function, folder))
        process.start()
        return process, folder

    def end(process, folder):
        process.join(300)
        process.kill()
        printed = {name: (folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")}
        return SimpleNamespace(returncode=process.exitcode, **printed)

    def ended(*functions):
        torch.set_num_threads(1)  # threads do not survive a fork
        started = [start(function) for function in functions]
        return [end(*one) for one in started]

    return ended


@pytest.fixture
def run_module(forked):
    """A function: what `python -m MODULE WORDS` prints, and how it ends; the process is a forked one."""

    def done(module, *words):
        def main():
            warnings.simplefilter("ignore")  # of a module that is there already
            sys.argv[1:] = map(str, words)
            runpy.run_module(module, run_name="__main__", alter_sys=True)

        return forked(main)[0]

    return done


class TinyEncoder(nn.Module):
    """Embeds crops in a thousandth of a second."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4, 3)
        )

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.layers(crops)


@pytest.fixture
def make_training():
    """A function: a MONAI trainer and evaluator of a tiny network on random crops, and what they work with."""
    import ignite.metrics
    from monai.data import DataLoader, Dataset, MetaTensor
    from monai.engines import SupervisedEvaluator, SupervisedTrainer
    from monai.handlers import from_engine
    from monai.transforms import Compose, EnsureTyped, RandSpatialCropSamplesd, SelectItemsd

    from scripts.engines.batches import PrepareBatch
    from scripts.losses.distance import DistanceLoss
    from scripts.transforms.location import CropLocationd, FrameOrigind

    def make(max_epochs: int = 1, seed: int = 0) -> SimpleNamespace:
        generator = torch.Generator().manual_seed(7)
        scans = [
            {"image": MetaTensor(torch.randn(1, 10, 9, 8, generator=generator)), "scan": scan} for scan in range(6)
        ]
        transform = Compose(
            [
                FrameOrigind("image", "foreground"),
                RandSpatialCropSamplesd("image", [5, 5, 5], 3, random_size=False),
                CropLocationd("image"),
                EnsureTyped("image", track_meta=False),
                SelectItemsd(["image", "location", "scan"]),
            ]
        )
        torch.manual_seed(seed)
        network = TinyEncoder()
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
        common = {"device": torch.device("cpu"), "network": network, "prepare_batch": PrepareBatch()}
        metric = ignite.metrics.Loss(
            DistanceLoss(), from_engine(["pred", "label"]), batch_size=lambda target: len(target["scan"])
        )
        evaluator = SupervisedEvaluator(
            val_data_loader=DataLoader(Dataset(scans, transform), batch_size=6),
            key_val_metric={"validation_loss": metric},
            metric_cmp_fn=operator.lt,
            decollate=False,
            **common,
        )
        trainer = SupervisedTrainer(
            max_epochs=max_epochs,
            train_data_loader=DataLoader(Dataset(scans, transform), batch_size=2, shuffle=True),
            optimizer=optimizer,
            loss_function=DistanceLoss(),
            **common,
        )
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        return SimpleNamespace(
            trainer=trainer, evaluator=evaluator, network=network, optimizer=optimizer, scheduler=scheduler
        )

    return make
