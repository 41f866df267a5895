"""A subject's features are those of its windows, in their order, by an encoder and without one."""

import pytest
import torch
from torch import nn

from scripts.errors import InputError
from scripts.evaluation.subject_features import encoders_at, subject_features

SCANS = [{"subject": name} for name in ("b", "a", "b")]


def batches():
    """Two windows of each scan, three to a batch, each known by its number."""
    numbers = torch.arange(6.0)[:, None]
    return [
        {"image": part, "histogram": part + 100, "size": part.div(2, rounding_mode="floor")}
        for part in numbers.split(3)
    ]


def test_windows_are_joined_and_scans_of_a_subject_averaged():
    found = subject_features(batches(), SCANS, {"mine": nn.Identity()}, lambda batch, network: network(batch["image"]))
    assert list(found) == ["mine", "histogram", "size"]
    assert found["mine"].tolist() == [[2, 3], [2, 3]]  # of a; of b, the mean of 0 and 4, and of 1 and 5
    assert found["histogram"].tolist() == [[102, 103], [102, 103]]
    assert found["size"].tolist() == [[1], [1]]


@pytest.fixture
def network():
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 4))


def test_the_untrained_encoder_stands_beside_a_trained_one(network, tmp_path):
    weights = {name: tensor + 1 for name, tensor in network.state_dict().items()}
    drawn = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.save(weights, tmp_path / "encoder.pt")
    found = encoders_at(["0"], "mine", network, str(tmp_path / "encoder.pt"))
    assert list(found) == ["mine", "untrained"]
    x = torch.ones(1, 3)
    for name, expected in (("mine", weights), ("untrained", drawn)):
        torch.testing.assert_close(found[name](x), x @ expected["0.weight"].T + expected["0.bias"])


def test_an_untrained_encoder_stands_alone(network):
    assert list(encoders_at(["0"], "untrained", network, "untrained")) == ["untrained"]


@pytest.mark.parametrize(
    ("name", "encoder", "sentence"),
    [
        ("size", "/a.pt", "cannot be called size"),
        ("untrained", "/a.pt", "cannot be called untrained"),
        ("mine", "scratch", "Nothing of an encoder is trained here"),
        ("mine", "/no/such.pt", "There are no weights at /no/such.pt"),
    ],
)
def test_an_encoder_that_cannot_be_used_is_refused(network, name, encoder, sentence):
    with pytest.raises(InputError, match=sentence):
        encoders_at(["0"], name, network, encoder)
