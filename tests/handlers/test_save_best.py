"""The best of a run's weights."""

import operator

import pytest
import torch
from ignite.engine import Engine
from torch import nn

from scripts.handlers.save_best import SaveBest


def evaluator(is_better):
    """What a MONAI evaluator says of its key metric."""
    engine = Engine(lambda engine, batch: None)
    engine.state.key_metric_name, engine.metric_cmp_fn = "loss", is_better
    return engine


@pytest.fixture
def best(tmp_path):
    """The handler that keeps the best of a network, and a function that validates it with a loss."""
    network = nn.Linear(2, 2)
    handler = SaveBest(network, [str(tmp_path / "encoder.pt"), str(tmp_path / "models" / "model.pt")])

    def validate(loss, handler=handler, is_better=operator.lt):
        nn.init.constant_(network.weight, loss)
        engine = evaluator(is_better)
        handler.attach(engine)
        engine.state.metrics["loss"] = torch.tensor(loss)
        engine.run([0])

    handler.validate = validate
    return handler


def test_the_best_encoder_is_kept(tmp_path, best):
    for loss in (5.0, 3.0, 4.0, 3.0, float("nan")):
        best.validate(loss)
    for path in best.paths:
        assert torch.load(path)["weight"].unique().tolist() == [3]


def test_the_best_may_be_the_highest(best):
    for auc in (0.6, 0.8, 0.7):
        best.validate(auc, is_better=operator.gt)
    assert torch.load(best.paths[0])["weight"].unique().tolist() == [pytest.approx(0.8)]


def test_nothing_is_written_when_the_first_loss_is_not_a_number(tmp_path, best):
    best.validate(float("nan"))
    assert not list(tmp_path.iterdir())


def test_with_another_number_of_processes_the_best_is_sought_anew(best, caplog):
    best.validate(3.0)
    resumed = SaveBest(best.network, best.paths)
    resumed.load_state_dict(best.state_dict() | {"processes": 2})
    best.validate(4.0, resumed)
    assert torch.load(best.paths[0])["weight"].unique().tolist() == [4]
    assert "The number of processes has changed" in caplog.text


def test_a_resumed_run_knows_the_best_of_the_run_before(best):
    best.validate(3.0)
    resumed = SaveBest(best.network, best.paths)
    resumed.load_state_dict(best.state_dict())
    best.validate(4.0, resumed)
    assert torch.load(best.paths[0])["weight"].unique().tolist() == [3]
    best.validate(2.0, resumed)
    assert torch.load(best.paths[0])["weight"].unique().tolist() == [2]


def test_the_weights_have_the_networks_own_names_also_under_distributed_training(tmp_path, one_process):
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    handler = SaveBest(nn.parallel.DistributedDataParallel(network), [str(tmp_path / "run" / "encoder.pt")])
    engine = evaluator(operator.lt)
    engine.state.metrics["loss"] = 1
    handler(engine)
    assert torch.load(tmp_path / "run" / "encoder.pt").keys() == network.state_dict().keys()
