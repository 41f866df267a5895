"""A run that was stopped and resumed is the run that was not."""

import pytest
import torch
from ignite.engine import Events
from monai.handlers import LrScheduleHandler

from scripts.handlers.checkpoint import LoadCheckpoint, SaveCheckpoint
from scripts.handlers.seed_each_epoch import SeedEachEpoch


@pytest.fixture
def train(make_training, tmp_path):
    """A function: train, or resume a training, as the bundle does, and return all that it ends with."""

    def run(max_epochs, name, resume=False, seeded=True, stray=0):
        training = make_training(max_epochs, seed=stray)
        parts = {"network": training.network, "optimizer": training.optimizer, "lr_scheduler": training.scheduler}
        if resume:
            LoadCheckpoint(tmp_path / name, parts).attach(training.trainer)
        if seeded:
            SeedEachEpoch(0).attach(training.trainer)
        LrScheduleHandler(training.scheduler, print_lr=False).attach(training.trainer)
        SaveCheckpoint(tmp_path / name, parts).attach(training.trainer)
        torch.manual_seed(stray)  # a process of its own has random numbers of its own
        training.trainer.run()
        return {
            "parameters": [parameter.detach() for parameter in training.network.parameters()],
            "gradients": [parameter.grad for parameter in training.network.parameters()],
            "optimizer": training.optimizer.state_dict(),
            "lr_scheduler": training.scheduler.state_dict(),
            "last batch": training.trainer.state.output[-1]["image"],
            "iteration": training.trainer.state.iteration,
        }

    return run


def same(first, second):
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same, first, second))
    return torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second


def interrupted(train, seeded=True):
    train(2, "stopped.pt", seeded=seeded)
    return train(4, "stopped.pt", resume=True, seeded=seeded, stray=99)


@pytest.fixture
def both(train):
    """Ends of a run of four epochs, and of one that was stopped after two and resumed."""
    return train(4, "whole.pt"), interrupted(train)


@pytest.mark.parametrize("part", ["parameters", "gradients", "optimizer", "lr_scheduler", "last batch", "iteration"])
def test_a_resumed_run_ends_with_the_same(both, part):
    whole, resumed = both
    assert same(whole[part], resumed[part])


def test_without_seeding_each_epoch_a_resumed_run_sees_other_data(train):
    assert not same(train(4, "whole.pt", seeded=False)["last batch"], interrupted(train, seeded=False)["last batch"])


def test_training_continues_after_the_resume(train):
    before = train(2, "stopped.pt")
    after = train(4, "stopped.pt", resume=True)
    assert not same(before["parameters"], after["parameters"])
    assert after["iteration"] == 2 * before["iteration"]


def test_each_epoch_has_crops_of_its_own(make_training):
    training, seen = make_training(3), []
    SeedEachEpoch(0).attach(training.trainer)
    training.trainer.add_event_handler(
        Events.EPOCH_COMPLETED, lambda engine: seen.append(engine.state.output[-1]["image"].sum().item())
    )
    training.trainer.run()
    assert len(set(seen)) == 3


def test_processes_draw_apart_from_each_other(make_training, monkeypatch):
    drawn = []
    for process in range(2):
        monkeypatch.setattr("scripts.handlers.seed_each_epoch.rank", lambda process=process: process)
        training = make_training()
        SeedEachEpoch(0).attach(training.trainer)
        training.trainer.run()
        drawn.append(training.trainer.state.output[-1]["image"])
    assert not torch.equal(*drawn)
