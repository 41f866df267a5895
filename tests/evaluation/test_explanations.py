"""Test persons' scans and tables are explained, and what is found is written."""

import csv
import json

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from scripts.data.person_table import PersonTable
from scripts.evaluation.explanation_tables import figures_of, write_explanations
from scripts.evaluation.explanations import ask, explain_scan, explain_tables, who_is_tested
from scripts.evaluation.trained_model import TrainedModel
from scripts.inferers.window_mean import WindowMean
from scripts.networks.table_heads import TableHeads

pytest.importorskip("captum")
PERSONS = 8


class OnePlace(nn.Module):
    """Embeds a crop of 4 voxels a side by what is at a voxel of the second half of its scan."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, generator=torch.Generator().manual_seed(2)))

    def forward(self, crop):
        return (crop[:, 0, 1, 2, 3, None] + 2) * self.weight


@pytest.fixture
def model():
    torch.manual_seed(0)
    heads = TableHeads({"blood": torch.randn(PERSONS, 3)}, features=6, hidden_size=16, projection_size=6)
    return TrainedModel(OnePlace().eval(), heads.eval().requires_grad_(False), {"blood": ["iron", "sex=F", "sex=M"]})


@pytest.fixture
def images():
    return torch.randn(PERSONS, 1, 8, 4, 4, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def persons(images):
    """Eight persons, the last of whom has two scans, in the order of a list."""
    scans = [{"subject": f"P{i}", "person": i, "scan": i} for i in (3, 1, 0, 2, 4, 5, 6, 7, 7)]
    scans[-1]["scan"] = 0
    embed = WindowMean([4, 4, 4], 4, 3, lambda crops, network: network(crops))
    return who_is_tested(scans, lambda item: {"image": MetaTensor(images[item["scan"]])}, embed)


@pytest.fixture
def found(model, persons):
    return explain_tables(ask(model, model, persons), persons, steps=8)


def test_the_first_scan_of_each_person_is_explained(persons):
    assert persons.subjects == [f"P{i}" for i in range(PERSONS)] and persons.scans[7]["scan"] == 7


def test_the_voxels_that_a_network_sees_are_found(found, images, persons):
    one = explain_scan(MetaTensor(images[3]), found[""].question, 3, persons.embed, steps=64)
    expected = torch.zeros(1, 8, 4, 4, dtype=torch.bool)
    expected[0, 1, 2, 3] = expected[0, 5, 2, 3] = True  # one of each window
    assert ((one.attribution.as_tensor().abs() > 1e-6) == expected).all()


def test_a_map_adds_up_to_the_similarity_less_that_of_air(found, images, persons):
    question = found[""].question
    one = explain_scan(MetaTensor(images[3]), question, 3, persons.embed, steps=64)
    air = persons.embed(torch.full((1, 1, 8, 4, 4), -1.0), question.model.network)
    added = found[""].similarity[3] - question.contrast.of_scan(air, 3)[0]
    assert abs(one.error) < 0.01 and one.added == pytest.approx(float(added.detach()), abs=1e-5)
    assert float(one.attribution.sum()) == pytest.approx(one.added + one.error, abs=1e-5)


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_found_is_written_with_the_cells(found, persons, tmp_path, caplog):
    caplog.set_level("INFO")
    values = np.array([[i + 0.5, i % 2, 1 - i % 2] for i in range(PERSONS)], np.float32)
    table = PersonTable("blood", persons.subjects, ["iron", "sex=F", "sex=M"], values)
    metrics = write_explanations(found, figures_of(found), persons, [table], tmp_path)
    lines = rows(tmp_path / "explained.csv")
    assert len(lines) == 2 * PERSONS and [line["value"] for line in lines[:2]] == ["0.5", "1.5"]
    assert [line["value"] for line in lines[PERSONS : PERSONS + 2]] == ["M", "F"]
    assert float(lines[0]["attribution"]) == pytest.approx(float(found[""].columns["blood", "iron"][0]), rel=1e-4)
    assert metrics == json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["explained_similarity"] == pytest.approx(float(found[""].similarity.mean()))
    assert metrics["columns"] == 2 and len(metrics["intervals"]["explained_similarity_shuffled"]) == 2
    assert metrics["differences"]["explained_similarity_shuffled"] == [0, 0]  # of the model with itself
    assert {line["column"] for line in rows(tmp_path / "explained_columns.csv")} == {"iron", "sex"}
    assert "Scans of 8 test persons are" in caplog.text
