"""Networks whose maps are compared: what is refused, and which map is whose."""

import json

import pytest
import torch
from torch import nn

from scripts.data.structures import Structures
from scripts.errors import InputError
from scripts.evaluation.heatmaps import PatchNetwork, evaluate_heatmaps, patch_networks
from scripts.networks.bag_scores import bag_of

SCANS = [{"subject": "A", "image": "a.nii.gz", "scan": 0}]


class Bright(nn.Module):
    """Says that bright patches have the lesion, and attends to them."""

    def __init__(self, sign=1.0):
        super().__init__()
        self.sign = nn.Parameter(torch.tensor(sign))

    def forward(self, image):
        return torch.cat([nn.functional.avg_pool3d(image, 4) * 8 * self.sign - 4] * 2, 1)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function: folder of a training of a pooling."""
    monkeypatch.setattr("scripts.evaluation.heatmaps.check_settings", lambda *given: None)

    def write(pooling, name="run", subjects=("B",)):
        folder = tmp_path / name / "models"
        folder.mkdir(parents=True)
        torch.save(Bright().state_dict(), folder / "model.pt")
        settings = {"pooling": pooling, "min_attention": 0.1}
        (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        split = {"train": list(subjects), "validate": ["C"], "test": ["A"]}
        (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
        return str(folder.parent)

    return write


def compared(*runs):
    return patch_networks(Bright(), "interactive", 0.1, runs, SCANS, [])


def test_each_pooling_has_a_suffix_of_its_own(run):
    found = compared(run("mean", "one"), run("attention", "two"))
    assert [(one.suffix, one.pooling) for one in found] == [
        ("", "interactive"),
        ("_mean_pooling", "mean"),
        ("_attention_mil", "attention"),
    ]


def test_a_second_one_of_a_pooling_is_refused(run):
    with pytest.raises(InputError, match="second one of pooling mean"):
        compared(run("mean", "one"), run("mean", "two"))


def test_a_folder_without_a_training_is_named(tmp_path):
    with pytest.raises(InputError, match=r"There is no .*config\.json"):
        compared(str(tmp_path))


def test_one_that_has_seen_the_scans_is_refused(run):
    seen = run("mean", subjects=("A", "B"))
    with pytest.raises(InputError, match="was trained on some of these subjects: train it with the same fold"):
        compared(seen)


@pytest.mark.parametrize("pooling", ["interactive", "mean", "attention"])
def test_a_network_that_is_right_is_said_to_be(tmp_path, pooling):
    label = torch.zeros(1, 1, 16, 8, 8)
    label[..., :4, :4, :4] = 1
    ill = {"subject": ["A"], "image": label.clone(), "seen": torch.ones_like(label), "label": label}
    well = ill | {"subject": ["B"], "image": label * 0, "label": label * 0, "class_label": torch.tensor([0.0])}
    network, device = PatchNetwork("", Bright(), pooling, 0.01), torch.device("cpu")
    classes = Structures(("no lesion", "lesion"), ((1,), (2,)))
    loader = [ill | {"class_label": torch.tensor([1.0])}, well]
    evaluate_heatmaps(loader, [network], classes, lambda image, one: one(image), device, 2, 0, str(tmp_path))
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["auc"], metrics["pointing_game"], metrics["heatmap_auc"]) == (1, 1, 1)
    assert metrics["deletion"] <= metrics["deletion_random_map"]
    assert metrics["insertion"] >= metrics["insertion_random_map"]
    assert (metrics["scans"], metrics["positives"], metrics["subjects"]) == (2, 1, 2)


def test_the_heat_of_a_pooling_is_what_its_score_is_made_of():
    logits, seen = torch.randn(2, 2, 2, 2), torch.ones(2, 2, 2, dtype=torch.bool)
    for pooling, map_of in (
        ("interactive", lambda bag: bag.contribution[0]),
        ("mean", lambda bag: bag.local[0]),
        ("attention", lambda bag: bag.attention),
    ):
        bag = bag_of(logits, seen, pooling)
        assert torch.equal(PatchNetwork("", Bright(), pooling, 0.005).heat(bag), map_of(bag))
