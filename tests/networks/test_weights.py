"""Weights that fit are loaded, and all others are refused."""

import copy
import os

import pytest
import torch
from torch import nn

from scripts.errors import InputError
from scripts.networks.weights import fingerprint, load_encoder


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_weights_are_loaded_as_float32(tmp_path, dtype):
    trained, network = nn.Linear(3, 2), nn.Linear(3, 2)
    torch.save({name: value.to(dtype) for name, value in trained.state_dict().items()}, tmp_path / "encoder.pt")
    assert load_encoder(network, tmp_path / "encoder.pt") is network
    assert network.weight.dtype == torch.float32
    assert torch.equal(network.weight, trained.weight.to(dtype).float())


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no weights at .*encoder\.pt: correct the path"):
        load_encoder(nn.Linear(3, 2), tmp_path / "encoder.pt")


def test_of_a_bundle_that_comes_without_weights_those_of_a_run_are_asked_for(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").touch()
    with pytest.raises(InputError, match="since this bundle comes without: give encoder, or model, the path of"):
        load_encoder(nn.Linear(3, 2), tmp_path / "models" / "model.pt")


BAD_WEIGHTS = {
    "of other shapes": nn.Linear(4, 2).state_dict(),
    "of other names": nn.Sequential(nn.Linear(3, 2)).state_dict(),
    "one missing": {"weight": torch.ones(2, 3)},
    "one too many": nn.Linear(3, 2).state_dict() | {"more": torch.ones(1)},
    "nested": {"network": nn.Linear(3, 2).state_dict()},
    "no dictionary": [1, 2],
}


@pytest.mark.parametrize("content", BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_weights_of_another_network_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "encoder.pt")
    with pytest.raises(InputError, match=r"do not fit this network.*embedding_size|no flat state_dict"):
        load_encoder(nn.Linear(3, 2), tmp_path / "encoder.pt")


def test_names_of_a_parallel_network_are_told_with_their_cure(tmp_path):
    torch.save({f"module.{name}": value for name, value in nn.Linear(3, 2).state_dict().items()}, tmp_path / "e.pt")
    with pytest.raises(InputError, match=r"called module\.\*.*save network\.module\.state_dict\(\)"):
        load_encoder(nn.Linear(3, 2), tmp_path / "e.pt")


@pytest.mark.parametrize("kept", [0, 100, -10])
def test_a_broken_file_of_weights_is_refused(tmp_path, kept):
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "encoder.pt")
    content = (tmp_path / "encoder.pt").read_bytes()
    (tmp_path / "encoder.pt").write_bytes(content[:kept])
    with pytest.raises(InputError, match=r"The weights in .*encoder\.pt"):
        load_encoder(nn.Linear(3, 2), tmp_path / "encoder.pt")


def test_weights_that_float16_could_not_hold_are_named(tmp_path):
    state = nn.BatchNorm1d(2).state_dict() | {"running_var": torch.tensor([1.0, 70000.0])}
    torch.save({name: value.half() for name, value in state.items()}, tmp_path / "encoder.pt")
    with pytest.raises(InputError, match=r"running_var in .*encoder\.pt are not finite.*65504"):
        load_encoder(nn.BatchNorm1d(2), tmp_path / "encoder.pt")


class Attack:
    """A pickle that would run code when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_files_of_weights_cannot_run_code(tmp_path):
    torch.save({"weight": Attack(str(tmp_path / "harm"))}, tmp_path / "encoder.pt")
    with pytest.raises(InputError):
        load_encoder(nn.Linear(3, 2), tmp_path / "encoder.pt")
    assert not (tmp_path / "harm").exists()


def test_a_fingerprint_is_that_of_the_weights_in_float16_as_in_float32():
    network = nn.Linear(3, 2)
    first, half = fingerprint(network), fingerprint(copy.deepcopy(network).half())
    nn.init.zeros_(network.bias)
    assert first == half != fingerprint(network)
