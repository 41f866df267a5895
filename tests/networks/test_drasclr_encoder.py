"""An encoder that knows where a crop is, and that every client can take for one that does not."""

import pytest
import torch

from scripts.networks.conditional_conv import ConditionalConv
from scripts.networks.drasclr_encoder import DrasCLREncoder
from scripts.networks.layer_reader import LayerReader
from scripts.networks.layers import layer_features

LAYERS = ["block1:mean_sd", "block2.layers.1", "output"]
CROPS = torch.randn(3, 1, 32, 32, 32, generator=torch.Generator().manual_seed(0))
PLACES = torch.tensor([[0.0, 0, 0], [0.5, -0.5, 1], [-1, 1, 0.2]])


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return DrasCLREncoder().eval()


@pytest.fixture(scope="module")
def small():
    """A slice's, of which there is less to trace and script."""
    torch.manual_seed(0)
    return DrasCLREncoder(spatial_dims=2, embedding_size=16, experts=2).eval()


def test_it_has_the_published_number_of_convolutions_channels_and_weights(encoder):
    channels = [len(layer.weight[0]) for layer in encoder.modules() if isinstance(layer, ConditionalConv)]
    assert channels == [8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64, 128, 128]
    kernels = 27 * sum(one * other for one, other in zip([1, *channels], channels, strict=False))
    routers, norms = len(channels) * 4 * 8, 2 * sum(channels)
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 8 * kernels + routers + norms


def test_the_same_crop_is_another_one_elsewhere(encoder):
    there = encoder(CROPS[:1].expand(3, -1, -1, -1, -1), PLACES)
    assert there.shape == (3, 128)
    assert (torch.cdist(there, there) + torch.eye(3)).min() > 1e-3 * there.norm(dim=1).mean()


def test_without_a_place_it_answers_for_the_middle_of_the_body(encoder):
    torch.testing.assert_close(encoder(CROPS), encoder(CROPS, torch.zeros(3, 3)))


def test_with_one_expert_it_has_plain_convolutions_and_no_place_is_of_use():
    plain = DrasCLREncoder(2, embedding_size=16, experts=1).eval()
    torch.testing.assert_close(plain(CROPS[:, :, 0], PLACES), plain(CROPS[:, :, 0]))
    assert not any(isinstance(layer, ConditionalConv) for layer in plain.modules())


@pytest.mark.parametrize("experts", [1, 2])
def test_every_weight_learns(experts):
    network = DrasCLREncoder(2, embedding_size=16, experts=experts)
    network(CROPS[:, :, 0], PLACES).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_of_larger_crops_and_several_channels_there_is_one_embedding_each():
    network = DrasCLREncoder(2, in_channels=2, embedding_size=16, experts=2).eval()
    assert network(torch.randn(2, 2, 70, 40), PLACES[:2]).shape == (2, 16)


def test_its_layers_can_be_read_with_places_and_without(small):
    features, reader = layer_features(small, LAYERS), LayerReader(small, LAYERS)
    for inputs in ((CROPS[:, :, 0],), (CROPS[:, :, 0], PLACES)):
        expected = reader(*inputs)[:, 16:]
        assert expected.shape == (3, 16 * 2 + 32 + 16)
        torch.testing.assert_close(features(*inputs), expected)


def test_torchscript_of_it_and_of_its_layers_takes_a_place_or_none(small):
    for network in (small, layer_features(small, LAYERS)):
        script = torch.jit.script(network)
        torch.testing.assert_close(script(CROPS[:, :, 0]), network(CROPS[:, :, 0]))
        torch.testing.assert_close(script(CROPS[:, :, 0], PLACES), network(CROPS[:, :, 0], PLACES))
