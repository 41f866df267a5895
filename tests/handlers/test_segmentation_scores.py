"""Each scan and class has its line, and means are of the scans that have a class."""

import csv
import json
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from scripts.data.structures import Structures
from scripts.handlers import segmentation_scores
from scripts.handlers.segmentation_scores import SegmentationScores

CLASSES = Structures(("liver", "spleen"), ((1,), (2,)))


def numbers(**places):
    """A map [1, 8, 8, 8] at 2 mm, with a slab of each class."""
    voxels = torch.zeros(1, 8, 8, 8)
    for name, thickness in places.items():
        at = 1 if name == "liver" else 5
        voxels[:, 1:7, 1:7, at : at + thickness] = CLASSES.names.index(name) + 1
    return MetaTensor(voxels, affine=torch.diag(torch.tensor([2.0, 2, 2, 1])))


@pytest.fixture
def score(tmp_path):
    """A function: metrics.json and the lines of scores.csv of pairs of what was found and what was drawn."""

    def run(*pairs, regions=CLASSES):
        handler = SegmentationScores(tmp_path, regions)
        handler._begin()
        for i, (found, label) in enumerate(pairs):
            image = MetaTensor(torch.zeros(1, 8, 8, 8), meta={"filename_or_obj": f"{i}.nii"})
            state = {"batch": [{"image": image, "subject": f"S{i}"}], "output": [{"pred": found, "label": label}]}
            handler._score(SimpleNamespace(state=SimpleNamespace(**state)))
        handler._write()
        with open(tmp_path / "scores.csv", encoding="utf-8", newline="") as file:
            return json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8")), list(csv.DictReader(file))

    return run


def test_a_mean_is_of_the_scans_that_have_a_class(score):
    whole, half = numbers(liver=2, spleen=2), numbers(liver=1, spleen=2)
    metrics, rows = score((whole, whole), (half, numbers(liver=2)))
    assert [(row["subject"], row["class"]) for row in rows] == [("S0", "liver"), ("S0", "spleen"), ("S1", "liver")]
    assert metrics["dice_liver"] == pytest.approx((1 + 2 / 3) / 2) and metrics["dice_spleen"] == 1
    assert metrics["dice"] == pytest.approx((1 + 2 / 3) / 2)
    assert (metrics["scans"], metrics["subjects"], metrics["not_found"]) == (2, 2, 0)


def test_what_is_not_found_counts_as_0_and_has_no_distance(score):
    metrics, rows = score((numbers(), numbers(liver=2)))
    assert metrics["dice"] == 0 and metrics["not_found"] == 1
    assert metrics["surface_distance_mm"] is None and rows[0]["surface_distance_mm"] == ""


def test_what_is_drawn_in_the_wrong_place_is_found_all_the_same(score):
    elsewhere = numbers(liver=1)
    elsewhere[:] = elsewhere.flip(-1)
    metrics, rows = score((elsewhere, numbers(liver=2)))
    assert metrics["dice"] == 0 and metrics["not_found"] == 0
    assert float(rows[0]["surface_distance_mm"]) > 0


def test_of_regions_that_overlap_each_is_scored_by_itself(score):
    found, drawn = numbers(liver=2, spleen=1), numbers(liver=2, spleen=2)
    metrics, rows = score((found, drawn), regions=Structures(("organs", "spleen"), ((1, 2), (2,))))
    assert [row["class"] for row in rows] == ["organs", "spleen"]
    assert metrics["dice_organs"] == pytest.approx(2 * 3 / 7) and metrics["dice_spleen"] == pytest.approx(2 / 3)
    assert metrics["dice"] == pytest.approx((6 / 7 + 2 / 3) / 2) and "dice_liver" not in metrics


def test_distances_are_those_of_the_scans_own_spacing(score):
    metrics, _ = score((numbers(liver=1), numbers(liver=2)))
    assert 0 < metrics["surface_distance_mm"] <= 2


def test_distances_are_the_same_in_whichever_order_a_scan_has_its_axes(score, oblique):
    def stored(voxels, axes):
        image = nibabel.Nifti1Image(voxels[0].numpy(), oblique(spacing=(1, 2, 4))).as_reoriented(np.array(axes))
        return MetaTensor(torch.from_numpy(image.get_fdata().copy())[None], affine=torch.from_numpy(image.affine))

    distances = []
    for axes in [((0, 1), (1, 1), (2, 1)), ((1, 1), (2, -1), (0, -1)), ((2, -1), (0, 1), (1, -1))]:
        metrics, _ = score((stored(numbers(liver=1), axes), stored(numbers(liver=3), axes)))
        distances.append(metrics["surface_distance_mm"])
    assert distances == pytest.approx([distances[0]] * 3) and distances[0] > 2


def test_without_scipy_dice_is_measured_all_the_same(score, monkeypatch, caplog):
    def require(*args):
        raise segmentation_scores.InputError("The distance between surfaces needs scipy")

    monkeypatch.setattr(segmentation_scores, "require_package", require)
    metrics, rows = score((numbers(liver=2), numbers(liver=2)))
    assert metrics["dice"] == 1 and "surface_distance_mm" not in metrics and np.float64(rows[0]["dice"]) == 1
    assert "Not measured: surface_distance_mm" in caplog.text
