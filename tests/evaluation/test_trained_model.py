"""What a training with tables left is read whole; a control has to be one."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from scripts.atomic import save_atomically
from scripts.data.person_table import PersonTable
from scripts.data.table_scale import TableScale, write_scales
from scripts.errors import InputError
from scripts.evaluation.trained_model import read_control, read_model, require_control
from scripts.losses.contig import ContIGLoss
from scripts.networks.table_heads import TableHeads

HEADS = partial(TableHeads, features=2, hidden_size=4, projection_size=3)
TABLES = [PersonTable("blood", ["A", "B"], ["age", "iron"], np.array([[40, 1], [60, 3]], np.float32))]
SPLIT = {"test": [{"subject": "A", "person": 0}, {"subject": "B", "person": 1}]}


@pytest.fixture
def run(tmp_path):
    """Folder of a training in which iron was alike for all."""
    torch.manual_seed(0)
    save_atomically(nn.Linear(5, 2).state_dict(), tmp_path / "encoder.pt")
    save_atomically(ContIGLoss(HEADS({"blood": torch.zeros(1, 1)})).state_dict(), tmp_path / "head.pt")
    write_scales({"blood": TableScale(["age"], [50.0], [10.0])}, tmp_path / "tables.json")
    return tmp_path


def read(run, network):
    return read_model(str(run / "encoder.pt"), network, HEADS, TABLES, SPLIT)


def test_lines_are_scaled_as_the_training_scaled_them(run):
    model = read(run, nn.Linear(5, 2))
    assert model.columns == {"blood": ["age"]} and model.heads.lines(0, torch.arange(2)).tolist() == [[-1], [1]]


def test_weights_are_those_of_the_run_and_stay_so(run):
    network = nn.Linear(5, 2)
    before = network.weight.clone()
    model = read(run, network)
    assert torch.equal(model.network.weight, torch.load(run / "encoder.pt", weights_only=True)["weight"])
    assert torch.equal(network.weight, before)
    assert not model.heads.training
    assert not [one for one in (*model.network.parameters(), *model.heads.parameters()) if one.requires_grad]


def test_without_its_heads_there_is_nothing_to_explain(run):
    (run / "head.pt").unlink()
    with pytest.raises(InputError, match="There are no weights at "):
        read(run, nn.Linear(5, 2))


def test_where_no_control_is_given_there_is_none():
    assert read_control(None) is None
    require_control(None, [], "split.json")


def trained_with(run, component):
    settings = {"person_tables": {"_target_": f"scripts.data.tables.{component}"}}
    (run / "config.json").write_text(json.dumps(settings), encoding="utf-8")


def test_a_run_with_shuffled_tables_is_a_control(run):
    trained_with(run, "shuffled_tables")
    require_control(str(run), [], str(run / "split.json"))


def test_a_run_with_tables_as_they_are_is_none(run):
    trained_with(run, "read_tables")
    with pytest.raises(InputError, match="was trained without shuffled_tables"):
        require_control(str(run), [], str(run / "split.json"))
