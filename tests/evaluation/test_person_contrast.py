"""What makes a scan and a line of one person alike, where it is known."""

import pytest
import torch

from scripts.errors import InputError
from scripts.evaluation.person_contrast import PersonContrast, persons_to_explain
from scripts.losses.contig import ContIGLoss
from scripts.networks.table_heads import TableHeads

pytest.importorskip("captum")
PERSONS = 9
COLUMNS = {"blood": ["iron", "sex=F", "sex=M", "ferritin"], "genes": ["rs1", "rs2"]}


@pytest.fixture
def heads():
    """Untrained ones; the first person is not in the second table, and the second person lacks a cell of the first."""
    torch.manual_seed(0)
    blood, genes = torch.randn(PERSONS, 4), torch.randn(PERSONS, 2)
    blood[1, 3], genes[0] = torch.nan, torch.nan
    heads = TableHeads({"blood": blood, "genes": genes}, features=5, hidden_size=16, projection_size=6)
    torch.nn.init.normal_(heads.missing[0])
    return heads.eval().requires_grad_(False)


@pytest.fixture
def embedding():
    return torch.randn(PERSONS, 5, generator=torch.Generator().manual_seed(1))


def ask(heads, table=None, column=None):
    return persons_to_explain(heads, COLUMNS, torch.arange(PERSONS), table, column)


def slowly(similarity):
    """Each own similarity less the mean of those with others, from [P, P] of scans with lines."""
    return [
        float(row[i] - torch.tensor([value for j, value in enumerate(row) if j != i and value == value]).mean())
        for i, row in enumerate(similarity)
    ]


def test_a_scan_is_compared_with_its_own_line_and_those_of_others(heads, embedding):
    similarity = ContIGLoss(heads).similarities(embedding, torch.arange(PERSONS))
    torch.testing.assert_close(ask(heads, "blood").of_scans(embedding), torch.tensor(slowly(similarity["blood"])))
    genes = ask(heads, "genes").of_scans(embedding)
    assert genes[0].isnan()
    torch.testing.assert_close(genes[1:], torch.tensor(slowly(similarity["genes"])[1:]))


def test_tables_are_averaged_over_those_that_a_person_is_in(heads, embedding):
    both, blood, genes = (ask(heads, table).of_scans(embedding) for table in (None, "blood", "genes"))
    torch.testing.assert_close(both[1:], (blood + genes)[1:] / 2)
    torch.testing.assert_close(both[0], blood[0])


def test_a_column_is_what_the_similarity_loses_where_all_have_its_mean(heads, embedding):
    of_sex, of_all = ask(heads, "blood", "sex").of_scans(embedding), ask(heads, "blood").of_scans(embedding)
    heads.lines_0[:, 1:3] = 0
    torch.testing.assert_close(of_sex, of_all - ask(heads, "blood").of_scans(embedding))


def test_who_lacks_a_column_is_not_asked_about_it(heads, embedding):
    assert ask(heads, column="ferritin").of_scans(embedding).isnan().tolist() == [i == 1 for i in range(PERSONS)]


def test_attributions_of_columns_add_up_to_the_similarity_less_that_of_the_mean_line(heads, embedding):
    found = ask(heads, "blood").of_columns(embedding, steps=64)
    assert list(found) == [("blood", "iron"), ("blood", "sex"), ("blood", "ferritin")]
    similarity = ContIGLoss(heads).similarities(embedding, torch.arange(PERSONS))["blood"]
    heads.lines_0[:] = torch.where(heads.lines_0.isnan(), torch.nan, 0)
    heads.lines_0[:, 0] = 0
    baseline = ContIGLoss(heads).similarities(embedding, torch.arange(PERSONS))["blood"]
    expected = torch.tensor(slowly(similarity.T)) - torch.tensor(slowly(baseline.T))
    torch.testing.assert_close(torch.stack(list(found.values())).nansum(0), expected, atol=0.01, rtol=0)


def test_a_missing_cell_adds_nothing_that_could_be_told(heads, embedding):
    found = ask(heads, "blood").of_columns(embedding, steps=4)
    assert found["blood", "ferritin"].isnan().tolist() == [i == 1 for i in range(PERSONS)]
    assert not found["blood", "iron"].isnan().any()


def test_the_column_that_scans_show_is_found():
    torch.manual_seed(0)
    lines = torch.randn(500, 4)
    heads = TableHeads({"blood": lines}, features=4, hidden_size=64, projection_size=16, table_encoder="none")
    shown = torch.cat([lines[:, 2:3], torch.randn(500, 3)], 1)  # the third column, and noise
    loss, person = ContIGLoss(heads), torch.arange(400)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.01)
    for _ in range(40):
        optimizer.zero_grad()
        loss(shown[:400], {"person": person}).backward()
        optimizer.step()
    heads.eval().requires_grad_(False)
    contrast = PersonContrast(heads, {"blood": list("abcd")}, torch.arange(400, 500))
    means = {column: float(values.mean()) for (_, column), values in contrast.of_columns(shown[400:], 16).items()}
    assert means["c"] > 0.1 and means["c"] > 5 * max(abs(means[column]) for column in "abd")


@pytest.mark.parametrize(
    ("table", "column", "sentence"),
    [
        ("urine", None, "table is urine: give one of blood, genes"),
        ("genes", "iron", "genes has no column iron"),
        (None, "rs9", "No table has a column rs9"),
    ],
)
def test_what_is_not_there_is_told(heads, table, column, sentence):
    with pytest.raises(InputError, match=sentence):
        ask(heads, table, column)


def test_one_person_is_told_from_nobody(heads):
    with pytest.raises(InputError, match="There are no two test persons of whom the table says something"):
        persons_to_explain(heads, COLUMNS, torch.tensor([0, 3]), "genes", None)
