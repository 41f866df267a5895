"""A pretrained encoder is the down path of MONAI's FlexibleUNet."""

import pytest
import torch
from monai.networks.nets import DenseNet121, FlexibleUNet

from scripts.errors import InputError
from scripts.networks.densenet_unet_encoder import DenseNet121Encoder
from scripts.networks.transfer import transfer_weights


@pytest.fixture(scope="module")
def encoder():
    return DenseNet121(spatial_dims=3, in_channels=1, out_channels=16).eval()


@pytest.fixture(scope="module")
def network():
    return FlexibleUNet(1, 2, "densenet121", spatial_dims=3).eval()


def test_features_halve_in_size_and_have_the_channels_that_are_stated():
    with torch.no_grad():
        features = DenseNet121Encoder(3, 1).eval()(torch.rand(1, 1, 64, 32, 32))
    assert [tuple(feature.shape[2:]) for feature in features] == [(64 >> i, 32 >> i, 32 >> i) for i in range(1, 6)]
    assert tuple(feature.shape[1] for feature in features) == DenseNet121Encoder.num_channels_per_output()[0]


def test_all_of_the_encoder_but_its_last_layer_finds_its_place(encoder, network):
    found = transfer_weights(network, encoder.state_dict(), prefix="encoder.")
    assert found.unexpected == ["encoder.class_layers.out.weight", "encoder.class_layers.out.bias"]
    assert all(name.startswith(("decoder.", "segmentation_head.")) for name in found.missing)


def test_with_its_weights_the_down_path_gives_the_encoders_features(encoder, network):
    transfer_weights(network, encoder.state_dict(), prefix="encoder.")
    scan = torch.rand(1, 1, 32, 32, 32)
    with torch.no_grad():
        assert torch.equal(network.encoder(scan)[-1], encoder.features(scan))


def test_every_layer_of_the_network_learns(network):
    network.train()(torch.rand(2, 1, 32, 32, 32)).square().sum().backward()
    unused = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not unused


def test_weights_that_it_does_not_have_are_not_promised():
    with pytest.raises(InputError, match="has no weights of its own"):
        FlexibleUNet(1, 2, "densenet121", pretrained=True, spatial_dims=3)
