"""Ranks of persons, where they are known."""

import numpy as np
import pytest
import torch

from scripts.metrics.retrieval import column_cosines, drawn_medians, joined, own_ranks
from scripts.metrics.subject_bootstrap import SubjectBootstrap

NAN = torch.nan


def test_a_rank_counts_who_is_more_similar():
    similarity = torch.randn(20, 20)
    expected = [1 + sum(float(row[j]) > float(row[i]) for j in range(20)) for i, row in enumerate(similarity)]
    assert own_ranks(similarity).tolist() == expected


def test_an_encoder_that_has_collapsed_finds_nobody():
    ranks = own_ranks(torch.ones(9, 9))
    assert ranks.tolist() == 9 * [5.0] and not (ranks == 1).any()


def test_who_is_in_no_table_is_neither_sought_nor_found():
    similarity = torch.tensor([[0.5, NAN, 0.4], [0.9, NAN, 0.1], [0.6, NAN, 0.5]])
    assert own_ranks(similarity).tolist() == [1, 2]


def test_similarities_of_tables_are_averaged_over_those_that_a_person_is_in():
    blood, genes = torch.tensor([[0.2, NAN], [0.4, NAN]]), torch.tensor([[0.4, 0.1], [0.8, 0.3]])
    torch.testing.assert_close(joined({"blood": blood, "genes": genes}), torch.tensor([[0.3, 0.1], [0.6, 0.3]]))


def test_medians_are_those_of_the_persons_who_are_drawn():
    ranks = torch.tensor([4.0, 1, 9, 2, 2, 7])
    draws = SubjectBootstrap(range(6), repeats=50)
    expected = [np.median(np.repeat(ranks.numpy(), count.int().numpy())) for count in draws.counts]
    assert drawn_medians(ranks, draws).tolist() == pytest.approx(expected)


def test_cosines_are_over_the_columns_that_a_line_has():
    predicted, lines = torch.randn(3, 4), torch.randn(3, 4)
    lines[1, :2] = NAN
    lines[2] = NAN
    found = column_cosines(predicted, lines)
    for i in range(3):
        assert float(found[i, 0]) == pytest.approx(
            float(torch.cosine_similarity(predicted[i], lines[0], dim=0)), rel=1e-4
        )
        of_two = torch.cosine_similarity(predicted[i, 2:], lines[1, 2:], dim=0)
        assert float(found[i, 1]) == pytest.approx(float(of_two), rel=1e-4)
    assert found[:, 2].isnan().all()
