"""Runs of all kinds are killed at random moments and started again until they end: what they leave must be the same.

Each trial begins in an empty folder. A run is killed after a random time, or in the middle of a random one of its saves
(half written, written, synced, or just renamed), and the same command is given again, with `resume` where a checkpoint
is there. At the end, every file is compared with that of a run that was not interrupted, to the last bit.
"""

import argparse
import csv
import importlib
import itertools
import json
import os
import pkgutil
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from fire.parser import DefaultParseValue
from monai.bundle import ComponentLocator
from monai.bundle import run as run_bundle

import scripts.reports.encoder_page
from scripts.data.phantom import make_cohort

BUNDLES = Path(__file__).parents[2] / "bundles"
NETWORK = {"_target_": "DenseNet", "spatial_dims": 3, "in_channels": 1, "init_features": 4, "growth_rate": 2}
NETWORK |= {"block_config": [1, 1], "dropout_prob": 0.2}  # tiny, and as random as a network can be
ENCODER, CLASSIFIER = NETWORK | {"out_channels": "@embedding_size"}, NETWORK | {"out_channels": 1}
SMALL = {"spacing": [6.0, 6.0, 6.0], "crops_per_volume": 2, "batch_size": 1, "max_epochs": 2}
PRETRAINING = SMALL | {"val_size": 1, "test_size": 1, "embedding_size": 8, "network_def": ENCODER}
PROBE = SMALL | {
    "folds": 3,
    "embedding_size": 8,
    "encoder_def": ENCODER,
    "network_def": CLASSIFIER,
    "crops_per_volume": 8,
}
del PROBE["max_epochs"]
TRAINING = SMALL | {"folds": 3, "network_def": CLASSIFIER, "checkpoint_steps": 2}
SEGMENTATION = SMALL | {
    "folds": 3,
    "max_epochs": 3,
    "encoder": "untrained",
    "frozen_epochs": 1,
    "checkpoint_steps": 1,
    "network_def#channels": [2, 2, 4, 4, 4],
}
BAGS = SMALL | {
    "folds": 3,
    "encoder_def": NETWORK | {"out_channels": 1},
    "layer": "features.denseblock1",
    "checkpoint_steps": 1,
}
del BAGS["crops_per_volume"]
PARTS = {"bag_size": [32, 32, 32], "bags_per_volume": 2}
MAPS = {
    "spacing": SMALL["spacing"],
    "embedding_size": 8,
    "network_def": ENCODER,
    "map_stride": 32,
    "encoder": "{encoder}",
}
STAGES = ("half", "written", "synced", "renamed")
TIMES = {"crops_per_second", "scans_per_second", "parts_per_second"}  # columns of what is measured
PLACES = {"output_dir", "ckpt_dir", "resume"}  # settings that differ from trial to trial


@dataclass(frozen=True)
class Kind:
    """A command: a bundle, its files, and what is overridden; tried in every so many-th round."""

    bundle: str
    configs: tuple[str, ...]
    settings: dict
    every: int = 1


KINDS = {
    "pretraining": Kind("isimed_pretraining", ("train",), PRETRAINING),
    "pretraining, checkpoint_steps": Kind("isimed_pretraining", ("train",), PRETRAINING | {"checkpoint_steps": 1}),
    "pretraining, a head": Kind(
        "barlow_twins_pretraining",
        ("train", "projection_head"),
        PRETRAINING | {"checkpoint_steps": 2, "view": {"_target_": "RandGaussianNoise"}, "projection_size": 16},
    ),
    "classifier": Kind("lesion_classification", ("train",), TRAINING),
    "classifier in all folds": Kind("lesion_classification", ("train", "cross_validate"), TRAINING, 6),
    "linear probe": Kind("lesion_classification", ("linear_probe",), PROBE),
    "linear probe in all folds": Kind("lesion_classification", ("linear_probe", "cross_validate"), PROBE, 2),
    "evaluation": Kind(
        "isimed_pretraining",
        ("train", "evaluate"),
        PRETRAINING | {"encoder": "{encoder}", "evaluation_crops": 4, "map_stride": 16},
        6,
    ),
    "segmentation": Kind("organ_segmentation", ("train",), SEGMENTATION),
    "bags": Kind("interactive_mil_classification", ("train",), BAGS),
    "bags of parts": Kind("interactive_mil_classification", ("train", "slabs"), BAGS | PARTS, 2),
    "inference": Kind("isimed_pretraining", ("inference",), MAPS),
}


@dataclass
class Count:
    """What happened to runs of a kind."""

    trials: int = 0
    kills: int = 0
    within_saves: int = 0
    restarts: int = 0
    differences: list[str] = field(default_factory=list)


def main() -> None:
    """Print a line for each kind; end with status 1 where a file differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)  # processes are forked, which threads do not survive
    warm_up()
    scripts.reports.encoder_page.umap_points = lambda embedding, seed: embedding[:, :2]  # it compiles itself for long
    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        counts = kill_all(Path(folder), given.kills, draw)
    print(f"{'kind':32} trials  kills  in a save  restarts  differences")
    for kind, count in counts.items():
        numbers = (count.trials, count.kills, count.within_saves, count.restarts, len(count.differences))
        print("{:32} {:6} {:6} {:10} {:9} {:12}".format(kind, *numbers))
    differences = [text for count in counts.values() for text in count.differences]
    print(*differences[:20], f"{sum(count.kills for count in counts.values())} kills", sep="\n")
    sys.exit(bool(differences))


def kill_all(folder: Path, kills: int, draw: random.Random) -> dict[str, Count]:
    """Kill runs of each kind in turn, until there were so many kills."""
    cohort = make_cohort(folder / "cohort", subjects=6)
    counts, whole = {kind: Count() for kind in KINDS}, {}
    for name, kind in KINDS.items():
        whole[name] = Whole(kind, folder / "whole" / name.replace(", ", "_").replace(" ", "_"), cohort, folder)
        print(f"{name}: {whole[name].seconds:.1f} s, {whole[name].saves} saves", flush=True)
    for turn in itertools.count():
        if sum(count.kills for count in counts.values()) >= kills:
            return counts
        for name, kind in [item for item in KINDS.items() if turn % item[1].every == 0]:
            output = folder / f"trial_{counts[name].trials}" / name.replace(", ", "_").replace(" ", "_")
            trial(kind, output, whole[name], draw, counts[name])
            differences = list(compare(whole[name].output, output))
            counts[name].differences += [f"{name}, trial {counts[name].trials}: {text}" for text in differences]
            if not differences:
                remove(output)
        print(f"{sum(count.kills for count in counts.values())} kills", flush=True)


def warm_up() -> None:
    """Import once what each process would import."""
    ComponentLocator()  # imports all of MONAI
    for module in ("torch._dynamo", "torch.utils.tensorboard", "sklearn.linear_model", "pandas", "scipy.stats"):
        importlib.import_module(module)
    for module in pkgutil.walk_packages(scripts.__path__, "scripts."):
        importlib.import_module(module.name)


class Whole:
    """A run that nothing interrupts: what it leaves, how long it takes, and how many files it saves."""

    def __init__(self, kind: Kind, output: Path, cohort: Path, folder: Path) -> None:
        encoder = folder / "whole" / "pretraining" / "encoder.pt"
        fill = {"{encoder}": str(encoder)}
        settings = {
            key: fill.get(value, value) if isinstance(value, str) else value for key, value in kind.settings.items()
        }
        self.settings = settings | {"dataset_dir": str(cohort)}
        self.output, begin = output, time.monotonic()
        status, self.saves = wait(start(kind, self.settings | {"output_dir": str(output)}, output))
        self.seconds = time.monotonic() - begin
        if status:
            sys.exit(log(output).read_text(encoding="utf-8")[-3000:])


def trial(kind: Kind, output: Path, whole: Whole, draw: random.Random, count: Count) -> None:
    """Start a run again and again; at most five times, it is killed before it ends."""
    count.trials += 1
    for number in range(100):
        settings = whole.settings | {"output_dir": str(output)}
        if (output / "checkpoint.pt").is_file():
            torch.load(output / "checkpoint.pt", weights_only=True)  # whole, whenever the kill came
            settings["resume"] = True
        count.restarts += number > 0
        within_save, is_killed = draw.random() < 0.5, number < 5
        at = (draw.randint(1, whole.saves), draw.choice(STAGES)) if within_save and is_killed else None
        process = start(kind, settings, output, at)
        after = draw.uniform(0, whole.seconds) if is_killed and not within_save else 600
        status, _ = wait(process, after)
        if status == -signal.SIGKILL:
            count.kills += 1
            count.within_saves += within_save
        elif status and "holds a run already" not in log(output).read_text(
            encoding="utf-8"
        ):  # killed between its end and its exit
            count.differences.append(f"ended with status {status}: {log(output).read_text(encoding='utf-8')[-1500:]}")
            return
        else:
            return


def start(kind: Kind, settings: dict, output: Path, at: tuple[int, str] | None = None) -> tuple[int, int]:
    """Run a bundle in a process that is forked; its number, and a pipe to which it says how many files it saved."""
    log(output).parent.mkdir(parents=True, exist_ok=True)
    ours, theirs = os.pipe()
    process = os.fork()
    if process:
        os.close(theirs)
        return process, ours
    status = 1
    try:
        file = os.open(log(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        saves = watch_saves(at)
        bundle = BUNDLES / kind.bundle
        os.chdir(bundle)
        files = [str(bundle / "configs" / f"{config}.json") for config in kind.configs]
        words = {key: DefaultParseValue(value) if isinstance(value, str) else value for key, value in settings.items()}
        run_bundle(config_file=files, bundle_root=str(bundle), **words)
        os.write(theirs, str(len(saves)).encode())
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def watch_saves(at: tuple[int, str] | None) -> list:
    """A list that grows with each file that is saved; this process kills itself at a stage of one of them."""
    saves: list = []
    sync, rename = os.fsync, os.replace

    def kill(stage: str) -> None:
        if at == (len(saves), stage):
            os.kill(os.getpid(), signal.SIGKILL)

    def watched_sync(file: int) -> None:
        saves.append(file)
        if at == (len(saves), "half"):
            path = os.readlink(f"/proc/self/fd/{file}")
            os.truncate(path, os.path.getsize(path) // 2)
            kill("half")
        kill("written")
        sync(file)
        kill("synced")

    def watched_rename(source, target) -> None:
        rename(source, target)
        kill("renamed")

    os.fsync, os.replace = watched_sync, watched_rename
    return saves


def wait(started: tuple[int, int], seconds: float = 600) -> tuple[int, int]:
    """Status of a process, which is killed after some time, and how many files it saved."""
    process, pipe = started
    end = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            break
        time.sleep(0.002)
    with os.fdopen(pipe) as file:
        return os.waitstatus_to_exitcode(status), int(file.read() or 0)


def compare(whole: Path, killed: Path):
    """What differs between the files of two runs."""
    files = [{str(path.relative_to(folder)) for path in files_of(folder)} for folder in (whole, killed)]
    yield from (f"only one has {name}" for name in sorted(files[0] ^ files[1]))
    for name in sorted(files[0] & files[1]):
        if not same(*(content(folder / name, folder) for folder in (whole, killed))):
            yield f"{name} differs"


def files_of(folder: Path):
    for path in folder.rglob("*"):
        if path.is_file() and path.name != ".lock" and not path.name.startswith("events."):
            yield path


def content(path: Path, folder: Path):
    """What a file says, less where and how fast it was made."""
    if path.suffix == ".pt":
        return plain_times(torch.load(path, weights_only=True))
    if path.suffix == ".csv":
        with open(path, encoding="utf-8", newline="") as file:
            return plain_times(list(csv.DictReader(file)))
    if path.suffix == ".npz":
        with np.load(path) as stored:
            return {name: stored[name].tobytes() for name in stored}
    if path.suffix == ".json":
        settings = json.loads(path.read_text(encoding="utf-8"))
        return {key: value for key, value in settings.items() if key not in PLACES}
    if path.suffix == ".html":
        return None  # has the day it was made
    return path.read_bytes()


def plain_times(item):
    if isinstance(item, dict):
        return {key: plain_times(value) for key, value in item.items() if key not in TIMES}
    return [plain_times(value) for value in item] if isinstance(item, (list, tuple)) else item


def same(first, second) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    return first == second or (first != first and second != second)


def log(output: Path) -> Path:
    return output.with_name(f"{output.name}.log")


def remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


if __name__ == "__main__":
    main()
