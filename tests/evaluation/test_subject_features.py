"""A subject's features are those of its windows, in their order, by an encoder and without one."""

import pytest
import torch
from torch import nn

from scripts.errors import InputError
from scripts.evaluation.features import FrozenEncoder
from scripts.evaluation.subject_features import subject_features

SCANS = [{"subject": name} for name in ("b", "a", "b")]


def batches():
    """Two windows of each scan, three to a batch, each known by its number."""
    numbers = torch.arange(6.0)[:, None]
    return [
        {"image": part, "histogram": part + 100, "size": part.div(2, rounding_mode="floor")}
        for part in numbers.split(3)
    ]


def encoder(name="mine", network=None, path="untrained"):
    return FrozenEncoder(name, network or nn.Identity(), path, lambda batch, network: network(batch["image"]))


def test_windows_are_joined_and_scans_of_a_subject_averaged():
    found = subject_features(batches(), SCANS, encoder())
    assert list(found) == ["mine", "intensity", "size"]
    assert found["mine"].tolist() == [[2, 3], [2, 3]]  # of a; of b, the mean of 0 and 4, and of 1 and 5
    assert found["intensity"].tolist() == [[102, 103], [102, 103]]
    assert found["size"].tolist() == [[1], [1]]


@pytest.mark.parametrize(("pooling", "expected"), [("mean", [2.5]), ("mean_sd", [2.5, 0.5])])
def test_windows_are_averaged_where_places_do_not_matter(pooling, expected):
    found = subject_features(batches(), SCANS, encoder(), pooling)
    assert found["mine"].tolist() == [expected, expected]
    assert found["size"].tolist() == [[1], [1]]


@pytest.fixture
def trained(tmp_path):
    """A function: an encoder of this name that doubles, and was drawn to do nothing."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    torch.save({"weight": torch.tensor([[2.0]])}, tmp_path / "encoder.pt")
    return lambda name: encoder(name, network, str(tmp_path / "encoder.pt"))


def test_the_untrained_encoder_stands_beside_a_trained_one(trained):
    found = subject_features(batches(), SCANS, trained("mine"))
    assert list(found) == ["mine", "untrained", "intensity", "size"]
    assert torch.equal(found["mine"], 2 * found["untrained"])


@pytest.mark.parametrize("name", ["size", "untrained", "mean", "chance"])
def test_an_encoder_is_not_called_as_what_it_is_compared_with(trained, name):
    with pytest.raises(InputError, match=f"cannot be called {name}"):
        subject_features(batches(), SCANS, trained(name))


def test_an_untrained_encoder_may_be_called_so():
    assert "untrained" in subject_features(batches(), SCANS, encoder("untrained"))
