"""Another order in memory is the same network."""

import pytest
import torch
from monai.networks.nets import DenseNet, UNet

from scripts.inferers.mixed_precision import MixedPrecisionInferer
from scripts.networks.channels_last import channels_last


def densenet(dimensions):
    torch.manual_seed(0)
    return DenseNet(dimensions, 1, 4, init_features=8, growth_rate=4, block_config=(2, 2, 2)).eval()


def unet(dimensions):
    torch.manual_seed(0)
    return UNet(dimensions, 1, 4, (8, 16, 32), (2, 2), num_res_units=1, norm="batch").eval()


@pytest.mark.parametrize("network", [densenet, unet])
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize(("amp", "tolerance"), [(False, 1e-5), (True, 0.02)])
@torch.no_grad()
def test_its_output_is_the_same_within_rounding(network, dimensions, amp, tolerance):
    crops = torch.randn(3, 1, *[32] * dimensions)
    infer = MixedPrecisionInferer(amp)
    before, after = infer(crops, network(dimensions)), infer(crops, channels_last(network(dimensions)))
    torch.testing.assert_close(after, before, rtol=0, atol=tolerance * before.abs().max().item())


@pytest.mark.parametrize(("dimensions", "order"), [(2, torch.channels_last), (3, torch.channels_last_3d)])
@torch.no_grad()
def test_features_are_in_the_order_of_the_weights(dimensions, order):
    features = channels_last(densenet(dimensions)).features[:4](torch.randn(2, 1, *[32] * dimensions))
    assert features.is_contiguous(memory_format=order) and not features.is_contiguous()


def test_it_takes_the_same_weights_and_keeps_its_order():
    network, other = channels_last(densenet(3)), densenet(3)
    torch.nn.init.ones_(other.features.conv0.weight)
    network.load_state_dict(other.state_dict())
    weight = network.features.conv0.weight
    assert torch.equal(weight, other.features.conv0.weight)
    deep = network.features.denseblock1.denselayer1.layers.conv2.weight
    assert deep.is_contiguous(memory_format=torch.channels_last_3d) and not deep.is_contiguous()


def test_on_another_device_it_stays_as_it_is():
    network = channels_last(densenet(3).to("meta"))
    assert all(weight.is_contiguous() for weight in network.parameters())
