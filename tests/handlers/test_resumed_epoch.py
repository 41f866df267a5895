"""A run that was killed within an epoch and resumed is the run that was not, to the last bit."""

import contextlib
import csv
import functools
import itertools
import os
import random
import signal

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader
from monai.handlers import LrScheduleHandler, ValidationHandler

from scripts.atomic import remove_leftovers
from scripts.handlers.checkpoint import LoadCheckpoint, SaveCheckpoint
from scripts.handlers.progress import Progress
from scripts.handlers.resumed_epoch import RemainingBatches, random_state
from scripts.handlers.save_best import SaveBest
from scripts.handlers.seed_each_epoch import SeedEachEpoch

EPOCHS, LENGTH = 3, 3


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch):
    """A disk is waited for in each save; here, none can be lost."""
    monkeypatch.setattr("os.fsync", lambda file: None)


class Killed(BaseException):
    """What ends a training between two steps."""


@pytest.fixture
def train(make_training, tmp_path):
    """A function: train as the bundles do into a folder, with a checkpoint after each step, until a step."""

    def run(name, until=None, resume=False, workers=0, steps=1):
        training, folder = make_training(EPOCHS, seed=99 if resume else 0), tmp_path / name
        trainer = training.trainer
        trainer.data_loader = DataLoader(trainer.data_loader.dataset, workers, batch_size=2, shuffle=True)
        best = SaveBest(training.network, [str(folder / "encoder.pt")])
        best.attach(training.evaluator)
        progress = Progress(training.evaluator, best, folder / "history.csv")
        parts = {"network": training.network, "optimizer": training.optimizer, "lr_scheduler": training.scheduler}
        parts |= {"progress": progress, "save_best": best}
        if resume:
            LoadCheckpoint(folder / "checkpoint.pt", parts).attach(trainer)
        SeedEachEpoch(0).attach(trainer)
        ValidationHandler(1, training.evaluator).attach(trainer)
        LrScheduleHandler(training.scheduler, print_lr=False).attach(trainer)
        progress.attach(trainer)
        SaveCheckpoint(folder / "checkpoint.pt", parts, steps).attach(trainer)
        trained = []
        trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: trained.append(engine.state.iteration))
        if until:
            trainer.add_event_handler(Events.ITERATION_STARTED(once=until + 1), kill)
        torch.manual_seed(99 if resume else 0)  # a process of its own has random numbers of its own
        with contextlib.suppress(Killed):
            trainer.run()
        return trained

    return run


def kill(engine):
    raise Killed


def left(folder):
    """What a run leaves, less what it measures of time."""
    with open(folder / "history.csv", encoding="utf-8", newline="") as file:
        history = [{**row, "crops_per_second": None} for row in csv.DictReader(file)]
    checkpoint = torch.load(folder / "checkpoint.pt", weights_only=True)
    for row in checkpoint["progress"]["history"]:
        row["crops_per_second"] = None
    return {"history": history, "encoder": torch.load(folder / "encoder.pt", weights_only=True), **checkpoint}


def same(first, second):
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second


@pytest.mark.parametrize("until", [1, 3, 8])
def test_a_run_killed_after_any_step_ends_with_the_same(train, tmp_path, until):
    train("whole")
    train("killed", until)
    assert train("killed", resume=True) == list(range(until + 1, EPOCHS * LENGTH + 1))
    assert same(left(tmp_path / "whole"), left(tmp_path / "killed"))


def test_crops_that_workers_draw_are_the_same_too(train, tmp_path):
    train("whole", workers=2)
    train("killed", 5, workers=2)
    train("killed", resume=True, workers=2)
    assert same(left(tmp_path / "whole"), left(tmp_path / "killed"))


def test_a_run_killed_again_and_again_ends_with_the_same(train, tmp_path):
    train("whole")
    train("killed", 1)
    for until in (2, 4, 5, 7):
        train("killed", until, resume=True)
    train("killed", resume=True)
    assert same(left(tmp_path / "whole"), left(tmp_path / "killed"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="processes with a GPU cannot be forked")
def test_a_run_killed_in_the_middle_of_its_saves_ends_with_the_same(train, tmp_path, monkeypatch):
    """The tests' small version of tests/benchmarks/kill_runs.py."""
    torch.set_num_threads(1)  # threads do not survive a fork
    train("whole")
    for save, stage in ((4, "fsync"), (3, "replace"), (9, "fsync")):
        resume = (tmp_path / "killed" / "checkpoint.pt").is_file()
        assert killed_in_a_save(lambda resume=resume: train("killed", resume=resume), save, stage, monkeypatch)
        assert len(list((tmp_path / "killed").glob(".*"))) == 1  # half a file
    remove_leftovers.cache_clear()  # a process of its own would not know the folder
    train("killed", resume=True)
    assert same(left(tmp_path / "whole"), left(tmp_path / "killed"))
    assert not list((tmp_path / "killed").glob(".*"))


def killed_in_a_save(run, save, stage, monkeypatch):
    """Whether a process that runs this was ended by SIGKILL in one of its saves, before `os.fsync` or `os.replace`."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    with contextlib.suppress(BaseException):
        calls, function = itertools.count(1), getattr(os, stage)
        kill = functools.partial(os.kill, os.getpid(), signal.SIGKILL)
        monkeypatch.setattr(os, stage, lambda *args: kill() if next(calls) == save else function(*args))
        remove_leftovers.cache_clear()
        run()
    os._exit(1)


def test_steps_between_checkpoints_are_trained_again(train):
    train("killed", 5, steps=None)
    assert train("killed", resume=True, steps=None) == [4, 5, 6, 7, 8, 9]
    train("every two", 6, steps=2)
    assert train("every two", resume=True, steps=2) == [7, 8, 9]


def test_checkpoints_within_an_epoch_change_nothing(train, tmp_path):
    train("each step")
    train("each epoch", steps=None)
    assert same(left(tmp_path / "each step"), left(tmp_path / "each epoch"))


def test_with_another_number_of_processes_the_epoch_begins_anew(train, tmp_path, caplog):
    train("killed", 2)
    path = tmp_path / "killed" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    torch.save(state | {"random": 2 * state["random"]}, path)
    assert train("killed", resume=True) == list(range(1, EPOCHS * LENGTH + 1))
    assert "checkpoint.pt is of step 2 in epoch 1 with 2 processes: with 1, this epoch begins anew." in caplog.text
    assert len(left(tmp_path / "killed")["history"]) == EPOCHS


def test_all_generators_go_on_where_they_were():
    loader = DataLoader(torch.arange(4))
    state = random_state()
    drawn = random.random(), np.random.rand(), torch.rand(1).item()
    assert [batch.item() for batch in RemainingBatches(loader, 3, state)] == [3]
    assert drawn == (random.random(), np.random.rand(), torch.rand(1).item())


def test_the_next_epoch_is_whole():
    batches = RemainingBatches(DataLoader(torch.arange(4)), 3, random_state())
    assert [len(list(batches)) for _ in range(3)] == [1, 4, 4]
