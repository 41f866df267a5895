"""A classifier of several classes can leave Python, and keeps its precision."""

import torch
from monai.networks.nets import DenseNet121

from scripts.networks.linear_classes import LinearClasses

SETS = {"early": ["features.denseblock1:mean_sd"], "output": ["class_layers.out"]}


def classifier(layers):
    network = LinearClasses(DenseNet121(3, 1, 8), SETS, layers, [32, 32, 32], classes=3).eval()
    torch.nn.init.normal_(network.weight)
    torch.nn.init.normal_(network.bias)
    return network


def test_it_is_the_same_as_torchscript():
    network, crops = classifier("early"), torch.randn(2, 1, 32, 32, 32)
    assert network(crops).shape == (2, 3)
    torch.testing.assert_close(torch.jit.script(network)(crops), network(crops))


def test_each_class_has_its_own_weights():
    network = classifier("output")
    network.features, features = torch.nn.Identity(), torch.randn(5, 8)
    expected = features.clamp(-8, 8).double() @ network.weight.T.double() + network.bias.double()
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(features).double(), expected, atol=1e-5, rtol=1e-5)
