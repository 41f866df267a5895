"""The momentum encoder is the moving average of the network and its head."""

import torch
from ignite.engine import Engine
from torch import nn

from scripts.handlers.momentum_encoder import momentum_encoder


def test_each_step_keeps_the_momentum_of_the_average():
    network, head = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    for part in (network, head):
        nn.init.zeros_(part.weight)
    handler = momentum_encoder(network, head, 0.9)

    def step(*_):
        nn.init.ones_(network.weight)
        nn.init.constant_(head.weight, 2)

    trainer = Engine(step)
    handler.attach(trainer)
    trainer.run([0, 0])
    assert torch.allclose(handler.ema_model[0].weight, torch.tensor(0.19))
    assert torch.allclose(handler.ema_model[1].weight, torch.tensor(0.38))


def test_it_is_not_trained_and_is_normalised_by_the_statistics_of_the_network():
    network = nn.BatchNorm1d(2)
    handler = momentum_encoder(network, nn.Identity(), 0.9)
    trainer = Engine(lambda *_: network(torch.randn(8, 2)))
    handler.attach(trainer)
    trainer.run([0])
    average = handler.ema_model[0]
    assert torch.equal(average.running_mean, network.running_mean) and network.running_mean.any()
    assert not handler.ema_model.training and not any(one.requires_grad for one in handler.ema_model.parameters())
