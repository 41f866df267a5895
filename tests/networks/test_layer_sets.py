"""Sets of layers: which a network has, and what is said of others."""

import pytest
from monai.networks.nets import DenseNet121, resnet10

from scripts.errors import InputError
from scripts.networks.layer_sets import layer_set, sets_of_network


@pytest.fixture(scope="module")
def densenet():
    return DenseNet121(3, 1, 8)


@pytest.fixture(scope="module")
def resnet():
    return resnet10(spatial_dims=3, n_input_channels=1)


def test_a_set_of_layers_that_is_not_there_is_named():
    sets = {"output": ["output"], "early": ["features.denseblock1"]}
    assert layer_set(sets, "early") == ["features.denseblock1"]
    with pytest.raises(InputError, match="There are no layers late: give one of output, early, or add them to layer_s"):
        layer_set(sets, "late")


SETS = {"output": ["output"], "several": ["features.denseblock1:mean_sd", "class_layers.flatten"], "mine": ["layer2"]}


def test_a_network_has_its_output_and_the_sets_whose_layers_are_its_own(densenet, resnet, caplog):
    assert list(sets_of_network(densenet, SETS)) == ["output", "several"]
    caplog.clear()
    assert sets_of_network(resnet, SETS | {"early": ["features.denseblock1"]}) == {
        "output": ["output"],
        "mine": ["layer2"],
    }
    (said,) = caplog.messages
    assert said.startswith("Left out of layer_sets: several, early. ResNet has no layer features.denseblock1: give one")
    assert list(sets_of_network(resnet, {"mine": ["layer1"]})) == ["output", "mine"]


@pytest.mark.parametrize(
    ("sets", "sentence"),
    [
        ("early", "layer_sets is early: give lists of layers by name"),
        ({"early": "layer1"}, "layer_sets has layer1 as early: give a list"),
        ({"early": []}, "give a list of layers"),
        ({"early": ["layer1:median"]}, "no pooling median"),
    ],
)
def test_what_is_no_set_of_layers_is_refused(resnet, sets, sentence):
    with pytest.raises(InputError, match=sentence):
        sets_of_network(resnet, sets)
