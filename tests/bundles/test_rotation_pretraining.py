"""The rotation bundle: what it asks of crops, in training and validation, on controls and in slices."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor

BUNDLE = Path(__file__).parents[2] / "bundles" / "rotation_pretraining"


def parsed(*overlays, **settings):
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", *overlays)])
    parser.update({"device": torch.device("cpu"), "region_size": [16, 16, 16], "head_size": 8, **settings})
    return parser


def prepared(number=0):
    """A scan as it is before crops are drawn of it."""
    image = MetaTensor(torch.rand(1, 20, 20, 20, generator=torch.Generator().manual_seed(number)), affine=torch.eye(4))
    return {"image": image, "scan": number, "origin": torch.zeros(3, dtype=torch.float64)}


@pytest.mark.parametrize(
    ("overlays", "settings", "classes"),
    [((), {}, 10), ((), {"rotations": "cube"}, 24), (("axial_slices",), {"region_size": [16, 16, 1]}, 4)],
    ids=["axes", "cube", "axial_slices"],
)
def test_the_head_has_a_class_for_each_rotation(overlays, settings, classes):
    parser = parsed(*overlays, **settings)
    loss, batch = parser.get_parsed_content("loss"), parser.get_parsed_content("train#draw")(prepared())
    size = parser["region_size"]
    assert [item["image"].shape for item in batch] == 2 * [(1, *size)]
    assert loss.head[-1].out_features == loss.classes == classes
    assert all(0 <= item["rotation"] < classes for item in batch)


def test_the_head_is_that_of_the_paper():
    head = parsed(head_size=2048).get_parsed_content("loss").head
    assert [(part.in_features, part.out_features) for part in head if isinstance(part, torch.nn.Linear)] == [
        (256, 2048),
        (2048, 1024),
        (1024, 10),
    ]
    assert [type(part).__name__ for part in head[1:4]] == ["ReLU", "BatchNorm1d", "Dropout"] and head[3].p == 0.5


def test_a_control_changes_what_is_seen_and_not_what_is_asked():
    plain, noise = (
        parsed(control=control).get_parsed_content("validate#draw")(prepared()) for control in ("none", "noise")
    )
    for one, other in zip(plain, noise, strict=True):
        assert one["rotation"] == other["rotation"] and torch.equal(one["location"], other["location"])
        assert not torch.equal(one["image"], other["image"])


def test_voxels_that_are_not_cubes_are_refused_where_axes_are_exchanged():
    with pytest.raises(RuntimeError) as raised:
        parsed(spacing=[1, 1, 3]).get_parsed_content("train#rotation")
    assert "give both the same number on all axes, or --rotations slice" in str(raised.value.__cause__)


SMALL = {"spacing": [2.0, 2.0, 2.0], "region_size": [16, 16, 16], "max_epochs": 1, "batch_size": 2, "head_size": 16}
SMALL |= {"val_size": 1, "test_size": 1, "threads": 1}


@pytest.mark.slow
def test_a_run_keeps_its_head_which_an_evaluation_asks(run, history, write_scan, tmp_path):
    for number in range(4):
        write_scan(tmp_path / "scans" / f"P{number}.nii.gz", (36, 30, 24), seed=number)
    settings = SMALL | {"dataset_dir": tmp_path / "scans", "output_dir": tmp_path / "run"}
    run(BUNDLE, "train", **settings)
    (row,) = history(tmp_path / "run")
    assert 0 <= float(row["pretext_accuracy"]) <= 1 and float(row["pretext_chance"]) == pytest.approx(0.1)
    head = torch.load(tmp_path / "run" / "head.pt", weights_only=True)
    checkpoint = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert head["head.8.weight"].shape == (10, 8) and head.keys() == checkpoint["loss"].keys()
    settings |= {"pretext_steps": 2, "pretext_draws": 1, "evaluation_crops": 8, "map_stride": 12}
    output = run(BUNDLE, "train", "evaluate", **settings)
    assert "Pretext task: " in output and "The pretext task" in (tmp_path / "run" / "report.html").read_text("utf-8")
