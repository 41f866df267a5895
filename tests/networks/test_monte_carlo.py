"""Dropout draws, and nothing else of a network is in training mode."""

import pytest
import torch
from monai.networks.nets import BasicUNet
from torch import nn

from scripts.errors import InputError
from scripts.networks.monte_carlo import active_dropout, require_dropout

KINDS = [nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout]


def modes(network):
    return [module.training for module in network.modules()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_dropout_draws_beside_batch_norm_that_does_not_learn(kind):
    network = nn.Sequential(nn.BatchNorm2d(4), nn.Sequential(kind(0.5)))
    with active_dropout(network):
        assert [network.training, network[0].training, network[1][0].training] == [False, False, True]


@pytest.mark.parametrize("train", [True, False])
def test_statistics_of_batch_norm_are_not_changed(train):
    network = nn.Sequential(nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2), nn.Dropout(0.5)).train(train)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with active_dropout(network):
        network(torch.randn(2, 1, 3, 3, 3))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_each_module_is_afterwards_in_its_own_mode_also_after_an_exception():
    network = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 4)).train()
    network[0].eval()  # frozen
    before = modes(network)
    with pytest.raises(RuntimeError, match="stopped"), active_dropout(network):
        assert modes(network) != before
        raise RuntimeError("stopped")
    assert modes(network) == before


def test_the_networks_of_segmentation_draw():
    network = BasicUNet(3, 1, 2, [4, 4, 4, 4, 4, 4], norm="batch", dropout=0.5)
    image = torch.randn(1, 1, 16, 16, 16)
    with active_dropout(network), torch.no_grad():
        assert not torch.equal(network(image), network(image))


@pytest.mark.parametrize("network", [nn.Linear(2, 2), nn.Dropout(0.0), BasicUNet(3, 1, 2, [4] * 6)])
def test_a_network_without_dropout_is_refused_as_it_is(network):
    with pytest.raises(InputError, match=r"has no dropout.*train one with a dropout above 0"):
        require_dropout(network)
    before = modes(network)
    with pytest.raises(InputError, match="has no dropout"), active_dropout(network):
        raise AssertionError("it draws")
    assert modes(network) == before
