"""Heads of tables: what is missing, who is missing, and what is kept of them."""

import pytest
import torch

from scripts.errors import InputError
from scripts.networks.table_heads import TABLE_ENCODERS, TableHeads

NAN = torch.nan


@pytest.fixture
def tables():
    """Two tables of five persons; nobody is in both but persons 0 and 3."""
    blood = torch.randn(5, 3)
    blood[1] = NAN
    blood[3, 2] = NAN
    genes = torch.randn(5, 4)
    genes[[2, 4]] = NAN
    return {"blood": blood, "genes": genes}


def heads(tables, **settings):
    return TableHeads(tables, features=6, **{"hidden_size": 8, "projection_size": 5, **settings})


def test_who_has_a_line_is_in_a_table(tables):
    person = torch.tensor([4, 1, 0, 3])
    assert heads(tables).in_table(0, person).tolist() == [True, False, True, True]
    assert heads(tables).in_table(1, person).tolist() == [False, True, True, True]


@pytest.mark.parametrize("table_encoder", TABLE_ENCODERS)
def test_a_missing_number_is_read_as_the_one_that_is_learned_for_its_column(tables, table_encoder):
    ours = heads(tables, table_encoder=table_encoder).eval()
    with torch.no_grad():
        ours.missing[0].copy_(torch.tensor([7.0, 8, 9]))
    filled = tables["blood"].clone()
    filled[3, 2] = 9
    theirs = heads({"blood": filled, "genes": tables["genes"]}, table_encoder=table_encoder).eval()
    theirs.load_state_dict(ours.state_dict())
    assert torch.equal(ours.of_tables(0, torch.tensor([3])), theirs.of_tables(0, torch.tensor([3])))


def test_what_stands_for_a_missing_number_is_learned_where_one_is_missing_alone(tables):
    ours = heads(tables)
    ours.of_tables(0, torch.tensor([0, 2, 3])).sum().backward()
    assert (ours.missing[0].grad != 0).tolist() == [False, False, True]


def test_each_table_has_a_projector_of_its_own_for_scans(tables):
    ours, embedding = heads(tables), torch.randn(2, 6)
    assert not torch.isclose(ours.of_images(0, embedding), ours.of_images(1, embedding)).any()


@pytest.mark.parametrize(("table_encoder", "layers"), TABLE_ENCODERS.items())
def test_encoders_have_the_layers_of_the_paper_before_the_projector(tables, table_encoder, layers):
    encoder = heads(tables, table_encoder=table_encoder).table_encoders[1]
    names = [type(part).__name__ for part in encoder]
    assert names == layers * ["Linear", "ReLU", "BatchNorm1d"] + ["Linear", "ReLU", "Linear"]
    assert encoder(torch.randn(3, 4)).shape == (3, 5)


def test_no_line_of_anybody_is_in_the_weights(tables):
    state = heads(tables).state_dict()
    assert not [name for name in state if "lines" in name]
    assert not [tensor for tensor in state.values() if tensor.shape[:1] == (5,) and tensor.shape[1:] in ((3,), (4,))]


def test_lines_go_where_the_heads_go(tables):
    assert heads(tables).to("meta").lines(0, torch.tensor([1])).device.type == "meta"


def test_an_unknown_encoder_is_refused(tables):
    with pytest.raises(InputError, match="table_encoder is H3: give one of none, H1, H12"):
        heads(tables, table_encoder="H3")
