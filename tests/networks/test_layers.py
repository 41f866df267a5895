"""Features of a network's layers: pooled, joined, and the same as what passes there."""

import pytest
import torch
from monai.networks.nets import BasicUNet, DenseNet121, EfficientNetBN, SegResNet, UNet, resnet10
from torch import nn

from scripts.errors import InputError
from scripts.networks.layers import POOLINGS, layer_features, layer_map

CROPS = torch.randn(2, 1, 32, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def densenet():
    torch.manual_seed(0)
    return DenseNet121(3, 1, 8).eval()


def passes(network: nn.Module, layer: str) -> torch.Tensor:
    """What a hook sees of a layer."""
    seen = []
    handle = network.get_submodule(layer).register_forward_hook(lambda *call: seen.append(call[-1].detach()))
    network(CROPS)
    handle.remove()
    return seen[-1]


def test_layers_are_pooled_and_joined_in_the_order_in_which_they_are_named(densenet):
    features = layer_features(densenet, ["output", "features.denseblock1:mean_sd", "features.denseblock3"])
    block1, block3 = passes(densenet, "features.denseblock1").flatten(2), passes(densenet, "features.denseblock3")
    expected = [densenet(CROPS), block1.mean(2), block1.std(2, correction=0), block3.mean((2, 3, 4))]
    torch.testing.assert_close(features(CROPS), torch.cat(expected, 1))


def test_the_output_alone_is_the_network_itself_and_needs_no_tracing():
    network = Undecided()
    assert layer_features(network, ["output"]) is network


def test_the_last_layer_alone_has_all_weights_of_the_network(densenet):
    features = layer_features(densenet, ["class_layers.out"])
    torch.testing.assert_close(features(CROPS), densenet(CROPS))
    assert list(features.state_dict()) == list(densenet.state_dict())


def test_weights_loaded_into_the_network_are_those_of_its_features(densenet):
    other, drawn = DenseNet121(3, 1, 8).eval(), DenseNet121(3, 1, 8).eval()
    features = layer_features(other, ["features.denseblock1"])
    other.load_state_dict(densenet.state_dict())
    expected = layer_features(densenet, ["features.denseblock1"])(CROPS)
    torch.testing.assert_close(features(CROPS), expected)
    of_the_drawn = layer_features(drawn, ["features.denseblock1"])
    of_the_drawn.load_state_dict(densenet.state_dict())
    torch.testing.assert_close(of_the_drawn(CROPS), expected)


def test_weights_that_do_not_fit_the_features_are_refused(densenet):
    features = layer_features(densenet, ["features.denseblock1"])
    with pytest.raises(RuntimeError, match=r"(?s)Missing key.*Unexpected key.*elsewhere"):
        features.load_state_dict({"elsewhere": torch.zeros(1)})


def test_what_comes_after_the_last_layer_does_not_run(densenet):
    names = [name for name, _ in layer_features(densenet, ["features.denseblock1"]).named_modules()]
    assert "features.denseblock1.denselayer6" in names
    assert not {"features.transition1", "features.denseblock2", "class_layers"} & set(names)


@pytest.mark.parametrize(
    ("network", "layers"),
    [
        (lambda: DenseNet121(3, 1, 8), ["features.denseblock1:mean_sd", "features.denseblock2:local"]),
        (lambda: resnet10(spatial_dims=3, n_input_channels=1), ["layer1.0.conv1", "layer3:mean_sd", "fc"]),
        (lambda: EfficientNetBN("efficientnet-b0", spatial_dims=3, in_channels=1), ["_blocks.2:local", "_avg_pooling"]),
        (lambda: SegResNet(3, 8, 1, 2), ["down_layers.1:mean_sd", "down_layers.3:local"]),
        (lambda: UNet(3, 1, 2, (8, 16, 32), (2, 2)), ["model.0", "model.1.submodule.1:mean_sd"]),
        (lambda: BasicUNet(3, 1, 2, (8, 8, 8, 8, 8, 8)), ["down_2:mean_sd", "final_conv:local"]),
    ],
)
def test_features_of_public_networks_are_the_same_as_torchscript(network, layers):
    features = layer_features(network().eval(), layers)
    torch.testing.assert_close(torch.jit.script(features)(CROPS), features(CROPS))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8])
def test_local_pooling_sees_the_middle_of_each_axis_alone(size):
    edge = {1: 0, 2: 0, 3: 1, 4: 1, 5: 1, 8: 2}[size]
    features = torch.randn(2, 3, size, size, size)
    inside = features[:, :, edge : size - edge, edge : size - edge, edge : size - edge]
    torch.testing.assert_close(POOLINGS["local"](features), inside.mean((2, 3, 4)))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_tokens_are_pooled_over_their_positions(pooling):
    tokens = torch.randn(2, 7, 5)
    assert POOLINGS[pooling](tokens).shape == (2, 10 if pooling == "mean_sd" else 5)
    if pooling == "mean":
        torch.testing.assert_close(POOLINGS[pooling](tokens), tokens.mean(1))


def test_sums_of_half_precision_are_of_float32():
    features = torch.full((1, 1, 20, 20, 20), 1.001).bfloat16()
    assert POOLINGS["mean"](features).dtype == torch.float32
    torch.testing.assert_close(POOLINGS["mean"](features), features.float().mean((2, 3, 4)))


class Undecided(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv3d(1, 2, 1), nn.Conv3d(1, 2, 1)

    def forward(self, x):
        return self.first(x) if x.mean() > 0 else self.second(x)


@pytest.mark.parametrize(
    ("network", "layers", "sentence"),
    [
        (DenseNet121(3, 1, 8), [], "There are no layers"),
        (DenseNet121(3, 1, 8), ["features.denseblok1"], "DenseNet121 has no layer features.denseblok1.*denseblock1"),
        (DenseNet121(3, 1, 8), ["features:median"], "no pooling median: give one of mean, mean_sd, local"),
        (SegResNet(3, 8, 1, 2), ["up_samples"], "does not pass up_samples as a whole"),
        (Undecided(), ["first"], "The way of Undecided to first cannot be followed"),
    ],
)
def test_layers_that_are_not_there_are_named(network, layers, sentence):
    with pytest.raises(InputError, match=sentence):
        layer_features(network, layers)


def test_features_may_go_through_a_last_module_of_the_network():
    network, last = DenseNet121(3, 1, 8).eval(), nn.Linear(1024, 3)
    crops = torch.randn(2, 1, 32, 32, 32)
    with torch.no_grad():
        expected = last(layer_features(network, ["class_layers.flatten"])(crops))
        features = layer_features(network, ["class_layers.flatten"], last)
        assert torch.equal(features(crops), expected)
    assert {"last.weight", "last.bias"} < features.state_dict().keys()


def test_layers_are_read_of_a_network_that_gives_features_itself():
    network, layers = DenseNet121(3, 1, 8).eval(), ["features.denseblock1:mean_sd"]
    features = layer_features(network, ["features.denseblock2"], nn.Linear(512, 3))
    crops = torch.randn(2, 1, 32, 32, 32)
    with torch.no_grad():
        assert torch.equal(layer_features(features, layers)(crops), layer_features(network, layers)(crops))


def test_a_layers_map_is_what_the_layer_gives():
    network, seen = DenseNet121(3, 1, 8).eval(), []
    network.features.denseblock1.register_forward_hook(lambda module, inputs, output: seen.append(output.clone()))
    image = torch.randn(1, 1, 32, 32, 32)
    network(image)
    assert torch.equal(layer_map(network, "features.denseblock1")(image), seen[0])
