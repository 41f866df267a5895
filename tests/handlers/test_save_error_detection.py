"""Each labelled scan has a line that says how well its errors are found by each map."""

import csv
import json

import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor

from scripts.handlers.save_error_detection import SaveErrorDetection


def scan(subject: str, wrong: int) -> tuple[dict, dict]:
    """What is read of a scan and what is found, where the last voxel of eight has another class than its label."""
    label, ranks = torch.arange(8).reshape(1, 2, 2, 2) % 3, torch.arange(8.0).reshape(1, 2, 2, 2)
    pred = label.float()
    pred[0, 1, 1, 1] += wrong
    image = MetaTensor(torch.zeros(1, 2, 2, 2), meta={"filename_or_obj": f"/scans/{subject}.nii.gz"})
    found = {"pred": pred, "entropy": ranks, "mutual_information": -ranks}
    found = {key: MetaTensor(value) for key, value in found.items()}
    return {"image": image, "subject": subject, "label": MetaTensor(label)}, found


@pytest.fixture
def rows(tmp_path):
    """Lines of error_detection.csv, of a scan with a wrong voxel, one without, and one without a label map."""
    scans = [scan("A", 1), scan("B", 0), scan("C", 1)]
    scans[2][0]["label"] = "path of a label map that is not read"
    engine = Engine(lambda engine, batch: [scans[engine.state.iteration - 1][1]])
    SaveErrorDetection(tmp_path).attach(engine)
    engine.run([[read] for read, _ in scans])
    with open(tmp_path / "error_detection.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_areas_are_given_of_each_map(rows):
    assert rows[0] == {
        "image": "/scans/A.nii.gz",
        "subject": "A",
        "error_rate": "0.125",
        "entropy_auroc": "1.0",
        "entropy_average_precision": "1.0",
        "mutual_information_auroc": "0.0",
        "mutual_information_average_precision": "0.125",
    }


def test_where_nothing_is_wrong_no_areas_are_given(rows):
    assert rows[1]["error_rate"] == "0.0" and list(rows[1].values())[3:] == [""] * 4


def test_scans_without_a_label_map_have_no_line(rows):
    assert [row["subject"] for row in rows] == ["A", "B"]


def test_means_are_of_the_scans_that_have_areas(rows, tmp_path):
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["entropy_auroc"] == 1 and metrics["mutual_information_average_precision"] == 0.125
