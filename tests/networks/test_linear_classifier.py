"""A classifier of an encoder's features that can leave Python, and keeps its precision."""

import pytest
import torch
from monai.networks.nets import DenseNet121

from scripts.errors import InputError
from scripts.networks.linear_classifier import LinearClassifier
from scripts.probes.standardise import CLIP, Standardise

SETS = {"early": ["features.denseblock1:mean_sd"], "output": ["class_layers.out"]}
CROPS = torch.randn(3, 1, 32, 32, 32, generator=torch.Generator().manual_seed(0))


def classifier(layers="early"):
    """With weights as if it were trained, in evaluation mode."""
    network = LinearClassifier(DenseNet121(3, 1, 8), SETS, layers, [32, 32, 32]).eval()
    torch.nn.init.normal_(network.weight)
    return network


@pytest.mark.parametrize("layers", SETS)
def test_it_is_the_same_as_torchscript(layers):
    network = classifier(layers)
    torch.testing.assert_close(torch.jit.script(network)(CROPS), network(CROPS))


def test_its_weights_are_those_of_the_layers_that_are_used_alone():
    names = classifier().state_dict().keys()
    assert {"mean", "scale", "weight", "bias", "features.features.conv0.weight"} <= names
    assert not [name for name in names if "denseblock2" in name or "class_layers" in name]


def test_features_are_standardised_and_clipped_as_a_probes_are():
    network = classifier("output")
    features = network.features(CROPS)
    known = Standardise(features[:2])
    network.mean, network.scale = known.mean.float(), known.scale.float() / 100  # so that most are clipped
    known.scale = known.scale / 100
    expected = known(features) @ network.weight.detach().double()
    assert (known(features).abs() == CLIP).any()
    torch.testing.assert_close(network(CROPS)[:, 0].double(), expected, atol=1e-4, rtol=1e-4)


def test_mixed_precision_does_not_round_the_classifier():
    network, features = classifier("output"), torch.randn(5, 8)
    network.features = torch.nn.Identity()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(network(features), (features.clamp(-8, 8) * network.weight).sum(1, keepdim=True))


def test_counting_features_leaves_the_encoder_as_it_is():
    encoder = DenseNet121(3, 1, 8)
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    assert LinearClassifier(encoder, SETS, "early", [32, 32, 32]).training
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.state_dict().items())


def test_an_encoder_without_a_convolution_is_refused():
    with pytest.raises(InputError, match="Sequential has no convolution: give encoder_def a network that begins"):
        LinearClassifier(torch.nn.Sequential(torch.nn.Flatten()), {"output": ["output"]}, "output", [32, 32, 32])
