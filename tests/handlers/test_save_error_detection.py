"""Each labelled scan has a line that says how well its errors are found by each map."""

import csv
from types import SimpleNamespace

import pytest
import torch
from monai.data import MetaTensor

from scripts.handlers.save_error_detection import SaveErrorDetection


@pytest.fixture
def rows(tmp_path):
    """Lines of error_detection.csv, of a scan in which one voxel of eight is wrong, and one in which none is."""
    handler = SaveErrorDetection(tmp_path)
    for subject, wrong in (("A", 1), ("B", 0)):
        label = MetaTensor(torch.arange(8).reshape(1, 2, 2, 2) % 3)
        pred, ranks = label.float().clone(), torch.arange(8.0).reshape(1, 2, 2, 2)
        pred[0, 1, 1, 1] += wrong
        image = MetaTensor(torch.zeros(1, 2, 2, 2), meta={"filename_or_obj": f"/scans/{subject}.nii.gz"})
        output = {"pred": pred, "entropy": MetaTensor(ranks), "mutual_information": MetaTensor(-ranks)}
        batch = {"image": image, "subject": subject, "label": label}
        state = SimpleNamespace(batch=[batch], output=[output])
        handler._save(SimpleNamespace(state=state, data_loader=[0, 1]))
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
