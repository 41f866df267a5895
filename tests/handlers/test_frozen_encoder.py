"""An encoder stays as it is for as many epochs as it should, and no longer."""

from types import SimpleNamespace

import pytest
import torch
from ignite.engine import Engine
from torch import nn

from scripts.handlers.frozen_encoder import FrozenEncoder


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
        self.up = nn.Sequential(nn.Linear(3, 1), nn.BatchNorm1d(1))

    def forward(self, x):
        return self.up(self.down(x))


@pytest.fixture
def changed():
    """A function: the parts of a network that a training changes in one epoch, after a handler saw each before it."""

    def train(epochs, *seen):
        network = Network()
        handler = FrozenEncoder(network, ["down"], epochs)
        for epoch in seen:
            handler(SimpleNamespace(state=SimpleNamespace(epoch=epoch)))
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
        network.train()
        (network(torch.randn(8, 2)) ** 2 + network(torch.randn(8, 2))).sum().backward()
        optimizer.step()
        now = network.state_dict()
        return {name.split(".")[0] for name in now if not torch.equal(now[name], before[name])}

    return train


def test_neither_weights_nor_running_statistics_of_a_frozen_encoder_change(changed):
    assert changed(2, 1, 2) == {"up"}


def test_all_trains_when_its_epochs_are_over(changed):
    assert changed(2, 1, 2, 3) == {"down", "up"}


def test_a_resumed_training_goes_on_where_it_was(changed):
    assert changed(2, 2) == {"up"}
    assert changed(2, 3) == {"down", "up"}


def test_nothing_is_frozen_for_no_epochs(changed):
    assert changed(0, 1) == {"down", "up"}


def test_a_frozen_encoder_has_no_dropout():
    network = Network()
    FrozenEncoder(network, ["down"], 1)(SimpleNamespace(state=SimpleNamespace(epoch=1)))
    network.train()
    x = torch.randn(64, 2)
    assert torch.equal(network.down(x), network.down(x))


@pytest.mark.parametrize(("max_epochs", "said"), [(2, True), (1, True), (3, False)])
def test_a_training_that_never_sets_the_encoder_free_says_so(caplog, max_epochs, said):
    engine = Engine(lambda *_: None)
    FrozenEncoder(Network(), ["down"], 2).attach(engine)
    engine.run([0], max_epochs=max_epochs)
    assert (f"stays as it is in all {max_epochs} epochs" in caplog.text) is said
