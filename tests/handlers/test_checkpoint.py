"""Checkpoints that are resumed from."""

import logging
import shutil

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from scripts.errors import InputError
from scripts.handlers.checkpoint import LoadCheckpoint, SaveCheckpoint


def run(path, max_epochs, objects, load=False, length=2):
    engine = Engine(lambda engine, batch: None)
    if load:
        LoadCheckpoint(path, objects).attach(engine)
    SaveCheckpoint(path, objects).attach(engine)
    steps = []
    engine.add_event_handler(
        Events.ITERATION_STARTED, lambda engine: steps.append((engine.state.epoch, engine.state.iteration))
    )
    engine.run(range(length), max_epochs=max_epochs)
    return steps


def test_a_checkpoint_restores_its_objects_and_the_place(tmp_path):
    path, network = tmp_path / "run" / "checkpoint.pt", nn.Linear(2, 2)
    assert run(path, 2, {"network": network}) == [(1, 1), (1, 2), (2, 3), (2, 4)]
    other = nn.Linear(2, 2)
    assert run(path, 3, {"network": other}, load=True) == [(3, 5), (3, 6)]
    assert torch.equal(other.weight, network.weight)


def test_epochs_are_counted_whatever_the_number_of_their_steps(tmp_path):
    path = tmp_path / "checkpoint.pt"
    run(path, 2, {}, length=6)
    assert run(path, 3, {}, load=True, length=3) == [(3, 7), (3, 8), (3, 9)]


def test_a_training_does_not_overwrite_the_checkpoint_of_another(tmp_path):
    run(tmp_path / "checkpoint.pt", 2, {})
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(InputError, match=r"checkpoint\.pt is of another training, and would be lost"):
        run(tmp_path / "checkpoint.pt", 2, {})
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_finished_run_has_nothing_left_to_do_and_says_so(tmp_path, caplog):
    run(tmp_path / "checkpoint.pt", 2, {})
    with caplog.at_level(logging.INFO):
        assert run(tmp_path / "checkpoint.pt", 2, {}, load=True) == []
    assert f"{tmp_path / 'checkpoint.pt'}: 2 of 2 epochs are done, and nothing is left to do" in caplog.text


def test_a_resumed_run_says_from_where(tmp_path, caplog):
    run(tmp_path / "checkpoint.pt", 2, {})
    with caplog.at_level(logging.INFO):
        run(tmp_path / "checkpoint.pt", 5, {}, load=True)
    assert f"{tmp_path / 'checkpoint.pt'}: resumes with epoch 3 of 5." in caplog.text


def test_checkpoints_cross_between_one_process_and_distributed_training(tmp_path, one_process):
    path, network = tmp_path / "checkpoint.pt", nn.Linear(2, 2)
    run(path, 1, {"network": nn.parallel.DistributedDataParallel(network)})
    other = nn.Linear(2, 2)
    run(path, 2, {"network": other}, load=True)
    assert torch.equal(other.weight, network.weight)


def test_weights_that_are_not_finite_are_not_saved_and_the_last_good_checkpoint_stays(tmp_path):
    path, network = tmp_path / "checkpoint.pt", nn.Linear(2, 2)
    engine = Engine(lambda engine, batch: nn.init.constant_(network.weight, float("inf")) if batch == 3 else None)
    SaveCheckpoint(path, {"network": network}, steps=1).attach(engine)
    before = network.weight.tolist()
    with pytest.raises(InputError, match=r"The network is no longer finite after step 4 \(epoch 1\), and is not saved"):
        engine.run(range(6))
    other = nn.Linear(2, 2)
    assert run(path, 1, {"network": other}, load=True, length=6) == [(1, 4), (1, 5), (1, 6)]
    assert other.weight.tolist() == before


def removed(folder):
    shutil.rmtree(folder)


def removed_and_made_anew(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def moved(folder):
    folder.rename(folder.with_name("other"))


@pytest.mark.parametrize("change", [removed, removed_and_made_anew, moved])
@pytest.mark.parametrize("step", [1, 3])
def test_a_folder_that_is_removed_or_moved_while_its_run_writes_to_it_ends_the_run(tmp_path, change, step):
    engine = Engine(lambda engine, batch: change(tmp_path / "run") if engine.state.iteration == step else None)
    SaveCheckpoint(tmp_path / "run" / "checkpoint.pt", {}).attach(engine)
    with pytest.raises(InputError, match="run was removed or moved while its run was writing to it"):
        engine.run(range(2), max_epochs=3)
    assert engine.state.iteration == step and not (tmp_path / "run" / "checkpoint.pt").exists()
