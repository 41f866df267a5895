"""An encoder is taken over and told of, or nothing is and a sentence says why."""

import pytest
import torch
from monai.networks.nets import BasicUNet, DenseNet
from torch import nn

from scripts.errors import InputError
from scripts.networks.layers import layer_features
from scripts.networks.transfer import check_encoder, load_backbone, load_parts, transfer_weights

LAST = "class_layers.out"


def network(outputs=1, growth=4):
    return DenseNet(3, 1, outputs, init_features=4, growth_rate=growth, block_config=(1, 1))


def test_all_but_the_last_layer_is_the_encoders(tmp_path):
    encoder, classifier = network(16), network()
    head = classifier.class_layers.out.weight.clone()
    torch.save(encoder.state_dict(), tmp_path / "encoder.pt")
    load_backbone(classifier, str(tmp_path / "encoder.pt"), LAST)
    for name, tensor in classifier.state_dict().items():
        assert name.startswith(LAST) or torch.equal(tensor, encoder.state_dict()[name]), name
    assert torch.equal(classifier.class_layers.out.weight, head)


@pytest.mark.parametrize("encoder", ["scratch", "untrained"])
def test_scratch_stays_as_it_was_drawn(encoder):
    classifier = network()
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    load_backbone(classifier, encoder, LAST)
    assert all(torch.equal(tensor, before[name]) for name, tensor in classifier.state_dict().items())


FAULTS = {
    "lack": lambda state: {name: state[name] for name in list(state)[1:]},
    "have besides": lambda state: state | {"head.weight": torch.zeros(1)},
    "have in another shape": lambda state: network(16, growth=6).state_dict(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_weights_that_do_not_fit_are_refused_and_nothing_is_loaded(tmp_path, fault):
    classifier = network()
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    torch.save(FAULTS[fault](network(16).state_dict()), tmp_path / "encoder.pt")
    with pytest.raises(InputError, match=f"do not fit this network: they {fault}"):
        load_backbone(classifier, str(tmp_path / "encoder.pt"), LAST)
    assert all(torch.equal(tensor, before[name]) for name, tensor in classifier.state_dict().items())


def test_what_is_loaded_and_what_is_not_is_told():
    source, target = network(16), torch.nn.ModuleDict({"body": network(), "more": torch.nn.Linear(2, 2)})
    found = transfer_weights(target, source.state_dict() | {"other": torch.zeros(1)}, prefix="body.", at_least=0.5)
    assert set(found.loaded) == {f"body.{name}" for name in source.state_dict() if not name.startswith(LAST)}
    assert found.reshaped == ["body.class_layers.out.weight", "body.class_layers.out.bias"]
    assert (found.missing, found.unexpected) == (["more.weight", "more.bias"], ["body.other"])
    assert str(found).endswith(
        "2 missing (more.weight, more.bias); 1 unexpected (body.other); "
        "2 reshaped (body.class_layers.out.weight, body.class_layers.out.bias)"
    )


def test_what_is_loaded_is_what_was_given():
    source, target = network(16), torch.nn.ModuleDict({"body": network()})
    found = transfer_weights(target, source.state_dict(), prefix="body.")
    for name in found.loaded:
        assert torch.equal(target.state_dict()[name], source.state_dict()[name.removeprefix("body.")])


def test_weights_of_float16_are_loaded():
    source, target = network(), network()
    halves = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in source.state_dict().items()
    }
    assert len(transfer_weights(target, halves).loaded) == len(halves)
    assert torch.equal(target.features.conv0.weight, source.features.conv0.weight.half().float())


def test_too_few_that_fit_are_refused_and_nothing_is_loaded():
    target = torch.nn.ModuleDict({"body": network()})
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(InputError, match=r"Only 0 of \d+ weights fit this network.* missing \(body\."):
        transfer_weights(target, network().state_dict())
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


@pytest.mark.parametrize("weights", [{}, {"other": torch.zeros(1)}])
def test_no_weights_at_all_are_refused_whatever_is_asked_for(weights):
    with pytest.raises(InputError, match="Only 0 of"):
        transfer_weights(network(), weights, at_least=0)


def u_net(first=4):
    return BasicUNet(3, 1, 3, features=[first, 4, 4, 4, 4, 4], norm="batch")


DOWN = ["conv_0", "down_1", "down_2", "down_3", "down_4"]


def test_the_down_path_of_a_u_net_is_the_encoders_and_all_else_stays_as_it_was_drawn(tmp_path):
    encoder, network = layer_features(u_net(), ["down_4"], nn.Linear(4, 6)), u_net()
    drawn = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.save(encoder.state_dict(), tmp_path / "encoder.pt")
    load_parts(network, str(tmp_path / "encoder.pt"), DOWN)
    for name, tensor in network.state_dict().items():
        expected = encoder.state_dict() if name.split(".")[0] in DOWN else drawn
        assert torch.equal(tensor, expected[name]), name


@pytest.mark.parametrize(
    ("weights", "fault"), [(network(16), "they lack conv_0"), (u_net(8), "they have in another shape conv_0")]
)
def test_weights_that_are_no_part_of_the_network_are_refused_and_nothing_is_loaded(tmp_path, weights, fault):
    target = u_net()
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    torch.save(weights.state_dict(), tmp_path / "encoder.pt")
    with pytest.raises(InputError, match=f"are no encoder of this network: {fault}"):
        load_parts(target, str(tmp_path / "encoder.pt"), DOWN)
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


def test_weights_that_have_nothing_of_a_part_are_known_before_there_is_a_network(tmp_path):
    for name, weights in {"unet": u_net(), "densenet": network()}.items():
        torch.save(weights.state_dict(), tmp_path / f"{name}.pt")
    check_encoder(str(tmp_path / "unet.pt"), DOWN)
    with pytest.raises(InputError, match=r"nothing of conv_0: give encoder the encoder\.pt of a pretraining"):
        check_encoder(str(tmp_path / "densenet.pt"), DOWN)


@pytest.mark.parametrize("encoder", ["scratch", "untrained", "random"])
def test_without_weights_a_network_stays_as_it_was_drawn(encoder):
    target = u_net()
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    load_parts(target, encoder, DOWN)
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())
