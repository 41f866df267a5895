"""Dropout draws, and nothing else of a network is in training mode."""

import json

import pytest
import torch
from monai.networks.nets import BasicUNet
from torch import nn

from scripts.errors import InputError
from scripts.networks.monte_carlo import active_dropout, require_dropout, require_trained_dropout

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


@pytest.fixture
def trained(tmp_path):
    """A function: path of weights beside which a training has its settings."""

    def weights(**settings):
        (tmp_path / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        return tmp_path / "model.pt"

    return weights


@pytest.mark.parametrize("dropout", [0, 0.0])
def test_a_network_that_was_trained_without_dropout_is_refused_whatever_dropout_it_is_given(trained, dropout):
    with pytest.raises(InputError, match=r"trained without dropout, as .*config.json says.* leave mc_dropout.json out"):
        require_trained_dropout(nn.Dropout(0.1), 0.1, trained(dropout=dropout))


def test_another_dropout_than_that_of_the_training_is_refused_with_that(trained):
    with pytest.raises(InputError, match=r"dropout is 0.1, but .* was trained with 0.2.*: give --dropout 0.2."):
        require_trained_dropout(nn.Dropout(0.1), 0.1, trained(dropout=0.2))


def test_a_network_with_the_dropout_of_its_training_is_taken_as_it_is(trained, caplog):
    network = nn.Dropout(0.2)
    assert require_trained_dropout(network, 0.2, trained(dropout=0.2)) is network and not caplog.text


def test_where_the_training_says_nothing_of_dropout_a_warning_does(trained, tmp_path, caplog):
    require_trained_dropout(nn.Dropout(0.1), 0.1, trained(spacing=[1, 1, 1]))
    require_trained_dropout(nn.Dropout(0.1), 0.1, tmp_path / "elsewhere" / "model.pt")
    assert caplog.text.count("does not say with which dropout") == 2 and "0.1 is used (--dropout)" in caplog.text


def test_a_network_without_dropout_is_refused_also_where_the_training_says_nothing(trained):
    with pytest.raises(InputError, match="has no dropout"):
        require_trained_dropout(nn.Dropout(0.0), 0.0, trained())
