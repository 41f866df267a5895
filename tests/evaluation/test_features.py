"""Crops are embedded by a frozen encoder and go, with their baselines, to the subjects that they are of."""

import copy

import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn

from scripts.atomic import save_atomically
from scripts.engines.batches import PrepareBatch
from scripts.errors import InputError
from scripts.evaluation.features import FrozenEncoder, crop_features
from scripts.inferers.batch import BatchInferer

SCANS = [{"scan": 7, "subject": "B"}, {"scan": 9, "subject": "A"}]


def tiny_network():
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 5))


@pytest.fixture
def batches():
    """Three crops of each of two scans."""
    parts = []
    for item in SCANS:
        image, label = torch.randn(3, 1, 2, 2, 2), torch.tensor([[0.0], [1], [0]])
        parts.append(
            {"image": image, "class_label": label, "scan": torch.full((3,), item["scan"]), "place": image[:, 0, 0, 0]}
        )
    return parts


@pytest.fixture
def encode():
    """A function: a frozen encoder."""
    return lambda encoder="untrained", name="mine", network=None: FrozenEncoder(
        name, network or tiny_network(), encoder, BatchInferer(PrepareBatch(), SimpleInferer(), "cpu")
    )


def test_each_crop_has_its_embedding_its_baselines_its_label_and_its_subject(batches, encode):
    encoder = encode()
    features = crop_features(batches, SCANS, ["place"], encoder)
    assert list(features.values) == ["mine", "place"]
    assert torch.equal(features.values["mine"][3:], encoder(batches[1]))
    assert torch.equal(features.values["place"][:3], batches[0]["place"])
    assert features.class_label.tolist() == [0, 1, 0] * 2 and features.subject.tolist() == ["B"] * 3 + ["A"] * 3


def test_nothing_of_the_encoder_changes(batches, encode):
    encoder = encode()
    before = {name: tensor.clone() for name, tensor in encoder.network.state_dict().items()}
    crop_features(batches, SCANS, [], encoder)
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.network.state_dict().items())
    assert torch.equal(encoder(batches[0]), encoder(batches[0]))


def test_without_an_encoder_there_are_the_baselines_alone(batches):
    assert list(crop_features(batches, SCANS, ["place"]).values) == ["place"]


def test_trained_weights_are_loaded(encode, tmp_path):
    trained = tiny_network()
    save_atomically(trained.state_dict(), tmp_path / "encoder.pt")
    loaded = encode(str(tmp_path / "encoder.pt")).network.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in trained.state_dict().items())


def test_features_are_of_the_named_layers_and_the_untrained_network_has_its_own_at_the_same(tmp_path, batches, encode):
    trained, drawn = tiny_network(), tiny_network()
    save_atomically(trained.state_dict(), tmp_path / "encoder.pt")
    run, sets = BatchInferer(PrepareBatch(), SimpleInferer(), "cpu"), {"first": ["1"]}
    encoder = FrozenEncoder("mine", copy.deepcopy(drawn), str(tmp_path / "encoder.pt"), run, sets, "first")
    features = crop_features(batches, SCANS, ["place"], encoder, encoder.untrained)
    crops = torch.cat([batch["image"] for batch in batches]).flatten(1)
    assert list(features.values) == ["mine", "untrained", "place"]
    assert features.layers == {"mine": "first", "untrained": "first"}
    torch.testing.assert_close(features.values["mine"], trained[1].eval()(crops))
    torch.testing.assert_close(features.values["untrained"], drawn[1].eval()(crops))


def test_an_untrained_encoder_has_no_untrained_one_beside_it(encode):
    assert encode().untrained is None


def test_how_much_lesion_a_crop_holds_is_kept_where_it_is_known(batches):
    known = [batch | {"lesion_ml": batch["class_label"] * 3} for batch in batches]
    assert crop_features(known, SCANS, ["place"]).lesion_ml.tolist() == [0, 3, 0] * 2
    assert crop_features(batches, SCANS, ["place"]).lesion_ml is None


def test_layers_that_are_not_there_are_named(encode):
    with pytest.raises(InputError, match="There are no layers late: give one of first"):
        FrozenEncoder("mine", tiny_network(), "untrained", None, {"first": ["1"]}, "late")


def test_an_encoder_is_not_mistaken_for_a_baseline(batches, encode):
    with pytest.raises(InputError, match="cannot be called place, as a baseline is"):
        crop_features(batches, SCANS, ["place"], encode(name="place"))


def test_scratch_is_not_frozen(encode):
    with pytest.raises(InputError, match=r"Nothing of an encoder is trained here: give train\.json for scratch"):
        encode("scratch")
