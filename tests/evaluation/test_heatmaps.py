"""Networks whose maps are compared: what is refused, and which map is whose."""

import json

import pytest
import torch
from torch import nn

from scripts.data.structures import Structures
from scripts.errors import InputError
from scripts.evaluation.heatmaps import evaluate_heatmaps
from scripts.evaluation.patch_networks import PatchNetwork, patch_networks
from scripts.networks.bag_scores import bag_of

SCANS = [{"subject": "A", "image": "a.nii.gz", "scan": 0}]


class Bright(nn.Module):
    """Says that bright patches have the lesion, and attends to them."""

    def __init__(self, sign=1.0):
        super().__init__()
        self.sign, self.pool = nn.Parameter(torch.tensor(sign)), nn.AvgPool3d(4)

    def forward(self, image):
        return torch.cat([self.pool(image * self.sign) * 8 - 4] * 2, 1)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function: folder of a training of a pooling."""
    monkeypatch.setattr("scripts.evaluation.patch_networks.check_settings", lambda *given: None)

    def write(pooling, name="run", subjects=("B",), **more):
        folder = tmp_path / name / "models"
        folder.mkdir(parents=True)
        torch.save(Bright().state_dict(), folder / "model.pt")
        settings = {"pooling": pooling, "min_attention": 0.1}
        (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        split = {"train": list(subjects), "validate": ["C"], "test": ["A"], **more}
        (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
        return str(folder.parent)

    return write


def compared(*runs, known_by="content", scans=SCANS):
    return patch_networks(Bright(), "interactive", 0.1, runs, scans, known_by, [])


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


def test_one_that_has_seen_a_person_in_another_contrast_is_refused_where_names_tell(run):
    scans = [SCANS[0] | {"fingerprint": "of T1"}]
    seen = run("mean", subjects=("A",), fingerprints={"A": ["of T2"], "C": ["of C"]})
    assert len(compared(seen, scans=scans)) == 2
    with pytest.raises(InputError, match="was trained on some of these subjects"):
        compared(seen, scans=scans, known_by="names")


def bag(subject, label, image):
    """A scan whose first corner is the lesion, where it has one."""
    mask = torch.zeros(1, 1, 16, 8, 8)
    mask[..., :4, :4, :4] = label is not None
    seen, number = torch.ones_like(mask), torch.tensor([float(label or 0)])
    return {"subject": [subject], "image": image, "seen": seen, "label": mask, "class_label": number}


def judged(tmp_path, loader, networks, names, steps=0):
    classes = Structures(names, tuple((number,) for number in range(1, len(names) + 1)))
    device = torch.device("cpu")
    evaluate_heatmaps(loader, networks, classes, lambda image, one: one(image), device, steps, 0, str(tmp_path))
    return json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("pooling", ["interactive", "mean", "attention"])
def test_a_network_that_is_right_is_said_to_be(tmp_path, pooling):
    ill = bag("A", 1, bag("A", 1, None)["label"].clone())
    well = bag("B", None, torch.zeros(1, 1, 16, 8, 8))
    metrics = judged(tmp_path, [ill, well], [PatchNetwork("", Bright(), pooling, 0.01)], ("no lesion", "lesion"), 2)
    assert (metrics["auc"], metrics["pointing_game"], metrics["heatmap_auc"]) == (1, 1, 1)
    assert (metrics["pointing_game_grad_cam"], metrics["heatmap_auc_grad_cam"]) == (1, 1)
    assert metrics["deletion"] <= metrics["deletion_random_map"]
    assert metrics["insertion"] >= metrics["insertion_random_map"]
    assert metrics["deletion_grad_cam"] <= metrics["insertion_grad_cam"]
    assert (metrics["scans"], metrics["positives"], metrics["subjects"]) == (2, 1, 2)


class Kinds(Bright):
    """Says that dark patches have the first of three classes, bright ones the last, and attends to all."""

    def forward(self, image):
        patches = self.pool(image * self.sign)
        return torch.cat([-4 * patches, 0 * patches, 4 * patches, 0 * patches], 1)


def of_kinds(*values):
    """Scans of classes 0, 1 and so on, whose lesion is so bright."""
    return [bag(f"S{i}", i, bag("", 1, None)["label"] * value) for i, value in enumerate(values)]


def test_of_several_classes_the_map_of_the_true_one_is_judged(tmp_path):
    scans, network = of_kinds(-1.0, 0.0, 1.0), PatchNetwork("", Kinds(), "interactive", 0.01)
    metrics = judged(tmp_path, scans[::2], [network], ("mild", "moderate", "severe"))
    assert (metrics["pointing_game"], metrics["heatmap_auc"], metrics["positives"]) == (1, 1, 2)
    assert metrics["heatmap_auc_grad_cam"] == 1
    swapped = [scans[0] | {"class_label": torch.tensor([2.0])}, scans[2] | {"class_label": torch.tensor([0.0])}]
    assert judged(tmp_path, swapped, [network], ("mild", "moderate", "severe"))["heatmap_auc"] == 0


def test_of_several_classes_each_is_ranked_against_the_rest(tmp_path):
    network = PatchNetwork("", Kinds(), "interactive", 0.01)
    metrics = judged(tmp_path, of_kinds(-1.0, 2.0, 1.0), [network], ("mild", "moderate", "severe"))
    each = [metrics[f"auc_{name}"] for name in ("mild", "moderate", "severe")]
    assert each == [1, 0, 0.5] and metrics["auc"] == pytest.approx(0.5)


def test_a_class_that_no_scan_is_of_has_no_figure_and_is_named(tmp_path, caplog):
    network = PatchNetwork("", Kinds(), "interactive", 0.01)
    metrics = judged(tmp_path, of_kinds(-1.0, 0.0), [network], ("mild", "moderate", "severe"))
    assert {name for name in metrics if name.startswith("auc")} == {"auc", "auc_mild", "auc_moderate"}
    assert "of both kinds: auc_severe." in caplog.text


def test_grad_cam_is_of_the_training_whose_pooling_is_mean(tmp_path):
    scans = [bag("A", 1, bag("A", 1, None)["label"].clone())]
    networks = [PatchNetwork("", Bright(-1.0), "interactive", 0.01), PatchNetwork("_mean_pooling", Bright(), "mean", 1)]
    two = ("no lesion", "lesion")
    assert judged(tmp_path, scans, networks, two)["pointing_game_grad_cam"] == 1
    assert judged(tmp_path, scans, networks[:1], two)["pointing_game_grad_cam"] < 1


def test_the_heat_of_a_pooling_is_what_its_score_is_made_of():
    logits, seen = torch.randn(2, 2, 2, 2), torch.ones(2, 2, 2, dtype=torch.bool)
    for pooling, map_of in (
        ("interactive", lambda bag: bag.contribution[0]),
        ("mean", lambda bag: bag.local[0]),
        ("attention", lambda bag: bag.attention),
    ):
        bag = bag_of(logits, seen, pooling)
        assert torch.equal(PatchNetwork("", Bright(), pooling, 0.005).heat(bag), map_of(bag))
