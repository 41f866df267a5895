"""All of an encoder is taken over, or nothing is and a sentence says why."""

import pytest
import torch
from monai.networks.nets import DenseNet

from scripts.errors import InputError
from scripts.transfer import load_backbone


def network(outputs=1, growth=4):
    return DenseNet(3, 1, outputs, init_features=4, growth_rate=growth, block_config=(1, 1))


def test_all_but_the_last_layer_is_the_encoders(tmp_path):
    encoder, classifier = network(16), network()
    head = classifier.class_layers.out.weight.clone()
    torch.save(encoder.state_dict(), tmp_path / "encoder.pt")
    load_backbone(classifier, str(tmp_path / "encoder.pt"))
    for name, tensor in classifier.state_dict().items():
        assert name.startswith("class_layers.out.") or torch.equal(tensor, encoder.state_dict()[name]), name
    assert torch.equal(classifier.class_layers.out.weight, head)


@pytest.mark.parametrize("encoder", ["scratch", "random"])
def test_scratch_stays_as_it_was_drawn(encoder):
    classifier = network()
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    load_backbone(classifier, encoder)
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
        load_backbone(classifier, str(tmp_path / "encoder.pt"))
    assert all(torch.equal(tensor, before[name]) for name, tensor in classifier.state_dict().items())
