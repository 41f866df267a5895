"""Persons are found by what scans show of them, and not by what they do not."""

import pytest
import torch

from scripts.atomic import save_atomically
from scripts.evaluation.person_retrieval import PersonRetrieval
from scripts.losses.contig import ContIGLoss
from scripts.metrics.location import Crops
from scripts.networks.table_heads import TableHeads

TRAIN, TEST, CROPS = 60, 12, 3


@pytest.fixture
def lines():
    """Lines of all persons in two tables; the first test person is not in the second."""
    blood, genes = torch.randn(TRAIN + TEST, 4), torch.randn(TRAIN + TEST, 3)
    genes[TRAIN] = torch.nan
    genes[::7, 1] = torch.nan
    return {"blood": blood, "genes": genes}


@pytest.fixture
def split():
    scans = [{"subject": f"P{i:03}", "scan": 500 + i, "person": i} for i in range(TRAIN + TEST)]
    return {"train": scans[:TRAIN], "test": scans[TRAIN:]}


def parts(split, embedding, size):
    """Crops of both parts, each with its person's numbers and some noise."""
    found = {}
    for part, scans in split.items():
        person = torch.tensor([scan["person"] for scan in scans for _ in range(CROPS)])
        scan, features = person + 500, embedding[person] + 0.05 * torch.randn(len(person), embedding.shape[1])
        nothing = torch.zeros(len(person), 3)
        found[part] = Crops(features, nothing, scan, nothing, known={"size": size[person]})
    return found


@pytest.fixture
def measured(lines, split):
    """Metrics of an encoder that knows the first table, beside one that knows nothing, where size is one column."""
    torch.manual_seed(0)
    loss = ContIGLoss(TableHeads(lines, features=5, hidden_size=8, projection_size=4)).eval()
    knows = lines["blood"] @ torch.randn(4, 5)
    size = torch.cat([lines["blood"][:, :1], torch.randn(TRAIN + TEST, 1)], 1)
    ours, theirs = parts(split, knows, size), parts(split, torch.randn(TRAIN + TEST, 5), size)
    return PersonRetrieval(loss).measure(ours, theirs, split)


def test_features_that_know_a_table_find_all_by_it_and_others_do_not(measured):
    metrics, _ = measured
    assert metrics["retrieval_top1_blood_ridge"] == metrics["retrieval_top1_back_blood_ridge"] == 1
    assert metrics["retrieval_median_rank_blood_ridge"] == 1
    assert metrics["retrieval_top1_blood_random_encoder"] < 0.5 > metrics["retrieval_top1_genes_ridge"]


def test_size_finds_what_it_says_of_a_table_and_no_more(measured):
    metrics, _ = measured
    assert 1 < metrics["retrieval_median_rank_blood_size"] < (TEST + 1) / 2


def test_heads_that_were_not_trained_find_nobody_but_by_chance(measured):
    assert measured[0]["retrieval_top1"] < 0.5


def test_each_table_has_its_own_persons(measured):
    metrics, _ = measured
    assert (metrics["persons"], metrics["persons_blood"], metrics["persons_genes"]) == (TEST, TEST, TEST - 1)
    assert metrics["retrieval_chance_genes"] == 1 / (TEST - 1)


def test_intervals_and_differences_are_of_draws_of_persons(measured):
    metrics, drawn = measured
    low, high = metrics["intervals"]["retrieval_top1_blood_size"]
    assert low <= metrics["retrieval_top1_blood_size"] <= high
    assert metrics["differences"]["retrieval_median_rank_blood_ridge"][1] > 0
    assert drawn["_ridge"]["retrieval_top1_blood"].shape == drawn[""]["retrieval_top1"].shape


def test_a_table_that_nobody_who_fits_is_in_is_found_by_no_regression(lines, split):
    lines["genes"][:TRAIN] = torch.nan
    loss = ContIGLoss(TableHeads(lines, features=5, hidden_size=8, projection_size=4)).eval()
    crops = parts(split, torch.randn(TRAIN + TEST, 5), torch.randn(TRAIN + TEST, 2))
    metrics, _ = PersonRetrieval(loss).measure(crops, crops, split)
    assert metrics["retrieval_top1_genes_ridge"] == 0
    assert metrics["retrieval_median_rank_genes_ridge"] == metrics["persons_genes"] / 2 + 0.5


def test_without_the_heads_of_its_training_nobody_is_sought(lines, tmp_path, caplog):
    retrieval = PersonRetrieval(ContIGLoss(TableHeads(lines, features=5, hidden_size=8, projection_size=4)))
    with caplog.at_level("INFO"):
        assert retrieval.trained(str(tmp_path / "encoder.pt")) is None
    assert "There is no head.pt beside" in caplog.text


def test_the_heads_beside_an_encoder_are_those_of_its_training(lines, tmp_path):
    trained = ContIGLoss(TableHeads(lines, features=5, hidden_size=8, projection_size=4))
    save_atomically(trained.state_dict(), tmp_path / "head.pt")
    fresh = PersonRetrieval(ContIGLoss(TableHeads(lines, features=5, hidden_size=8, projection_size=4)))
    found = fresh.trained(str(tmp_path / "encoder.pt"))
    embedding, person = torch.randn(6, 5), torch.arange(6)
    expected = trained.eval().similarities(embedding, person)["blood"]
    assert torch.equal(found.loss.similarities(embedding, person)["blood"], expected)
