"""A network's output and its layers, in one run."""

import pytest
import torch
from monai.networks.nets import DenseNet121
from torch import nn

from scripts.errors import InputError
from scripts.networks.layer_reader import LayerReader
from scripts.networks.layers import layer_features

LAYERS = ["features.denseblock1:mean_sd", "features.denseblock3", "output"]


@pytest.fixture(scope="module")
def network():
    return DenseNet121(3, 1, 8).eval()


@pytest.fixture
def crops():
    return torch.randn(2, 1, 32, 32, 32)


def test_features_are_those_of_a_network_that_ends_there(network, crops):
    reader = LayerReader(network, LAYERS)
    output, *features = reader(crops).split(reader.widths, 1)
    assert torch.equal(output, network(crops))
    assert torch.allclose(torch.cat(features, 1), layer_features(network, LAYERS)(crops), atol=1e-5)


def test_the_network_runs_once_and_stays_as_it_was(network, crops):
    runs = []
    counted = network.register_forward_hook(lambda *_: runs.append(1))
    LayerReader(network, LAYERS)(crops)
    counted.remove()
    assert len(runs) == 1
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_that_decides_on_its_way_can_be_read():
    class Decides(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 2), nn.Linear(2, 4)

        def forward(self, x):
            return self.second(self.first(x)) if x.mean() > 0 else self.second(-self.first(x))

    reader = LayerReader(Decides(), ["first"])
    assert reader(torch.ones(5, 3)).shape == (5, 6) and reader.widths == [4, 2]


@pytest.mark.parametrize("layer", ["features.denseblok1", "features:median"])
def test_layers_that_are_not_there_are_refused(network, layer):
    with pytest.raises(InputError):
        LayerReader(network, [layer])


def test_what_changes_a_layer_in_place_comes_after_it():
    network = nn.Sequential(nn.Conv3d(1, 4, 3), nn.BatchNorm3d(4), nn.ReLU(inplace=True), nn.Flatten()).eval()
    crops, layers = torch.randn(2, 1, 8, 8, 8), ["1:mean_sd", "2"]
    before = network[:2](crops).mean((2, 3, 4))
    reader = LayerReader(network, layers)
    _, *features = reader(crops).split(reader.widths, 1)
    assert torch.allclose(features[0][:, :4], before, atol=1e-6)
    assert torch.allclose(layer_features(network, layers)(crops), torch.cat(features, 1), atol=1e-6)


class Parts(nn.Module):
    """One module that is never called, and one that gives two tensors."""

    def __init__(self):
        super().__init__()
        self.pair, self.steps = Pair(), nn.ModuleList([nn.Linear(3, 3)])

    def forward(self, x):
        return self.steps[0](sum(self.pair(x)))


class Pair(nn.Module):
    def forward(self, x):
        return x, x


@pytest.mark.parametrize("layer", ["pair", "steps"])
def test_layers_that_no_image_passes_as_a_whole_are_named(layer):
    with pytest.raises(InputError, match=f"does not pass {layer} as a whole"):
        LayerReader(Parts(), ["output", layer])(torch.ones(2, 3))
