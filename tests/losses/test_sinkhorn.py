"""Soft permutations, where rows and columns have to sum to 1."""

import itertools

import pytest
import torch

from scripts.losses.sinkhorn import gumbel_noise, log_sinkhorn


def plain(scores, iterations):
    """Rows and columns of exp X, divided by their sums one after the other."""
    rows = scores.exp().tolist()
    size = range(len(rows))
    for _ in range(iterations):
        rows = [[x / sum(row) for x in row] for row in rows]
        sums = [sum(rows[i][j] for i in size) for j in size]
        rows = [[rows[i][j] / sums[j] for j in size] for i in size]
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("iterations", [1, 2, 7])
def test_it_is_rows_and_columns_divided_by_their_sums(iterations):
    scores = torch.randn(5, 5, dtype=torch.float64)
    assert torch.allclose(log_sinkhorn(scores, iterations).exp(), plain(scores, iterations))


@pytest.mark.parametrize(("size", "temperature"), [(9, 1), (27, 1), (27, 0.3), (125, 0.5)])
def test_rows_and_columns_sum_to_1(size, temperature):
    soft = log_sinkhorn(torch.randn(3, size, size) / temperature, 200).exp()
    assert (soft.sum(-1) - 1).abs().max() < 1e-4 and (soft.sum(-2) - 1).abs().max() < 1e-4


def test_of_two_by_two_the_limit_has_a_closed_form():
    a, b, c, d = torch.tensor([0.3, -1.2, 0.8, 0.1])
    expected = torch.sigmoid((a + d - b - c) / 2)
    soft = log_sinkhorn(torch.stack([a, b, c, d]).view(2, 2), 100).exp()
    assert torch.allclose(soft, torch.stack([expected, 1 - expected, 1 - expected, expected]).view(2, 2), atol=1e-6)


def test_equal_scores_are_shared_evenly():
    assert torch.allclose(log_sinkhorn(torch.full((4, 4), 7.0), 1).exp(), torch.full((4, 4), 0.25))


def test_what_is_added_to_a_row_or_a_column_changes_nothing():
    scores = torch.randn(6, 6, dtype=torch.float64)
    moved = scores + torch.randn(6, 1).double() + torch.randn(1, 6).double()
    assert torch.allclose(log_sinkhorn(moved, 300), log_sinkhorn(scores, 300))


def test_rows_and_columns_in_another_order_are_so_afterwards():
    scores, rows, columns = torch.randn(6, 6), torch.randperm(6), torch.randperm(6)
    expected = log_sinkhorn(scores, 10)[rows][:, columns]
    assert torch.allclose(log_sinkhorn(scores[rows][:, columns], 10), expected, atol=1e-5)


def test_a_low_temperature_leaves_the_best_of_all_permutations():
    scores = torch.randn(4, 4)
    best = max(itertools.permutations(range(4)), key=lambda order: float(scores[range(4), order].sum()))
    assert torch.allclose(log_sinkhorn(scores / 0.01, 2000).exp(), torch.eye(4)[list(best)], atol=0.02)


@pytest.mark.parametrize("temperature", [0.05, 0.001])
def test_a_low_temperature_gives_neither_infinity_nor_nan(temperature):
    scores = (10 * torch.randn(2, 27, 27)).requires_grad_()
    soft = log_sinkhorn(scores / temperature, 20).exp()
    soft.square().sum().backward()
    assert soft.isfinite().all() and scores.grad.isfinite().all()
    assert (soft.sum(-2) - 1).abs().max() < 1e-4


def test_its_gradient_is_that_of_its_value():
    scores = torch.randn(2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: log_sinkhorn(x / 0.5, 5), scores)


def test_what_cannot_be_is_not_and_leaves_no_nan_in_the_gradient():
    scores = torch.randn(4, 4, requires_grad=True)
    apart = torch.tensor([0, 0, 1, 1])
    soft = log_sinkhorn(scores.masked_fill(apart[:, None] != apart, -torch.inf), 50).exp()
    soft[0, 1].backward()
    assert torch.allclose(soft[:2, :2], log_sinkhorn(scores[:2, :2], 50).exp()) and not soft[:2, 2:].any()
    assert scores.grad[:2, :2].any() and not scores.grad[2:].any()


def test_bfloat16_scores_are_normalised_in_float32():
    scores = torch.randn(5, 5).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        soft = log_sinkhorn(scores, 5)
    assert soft.dtype == torch.float32 and torch.equal(soft, log_sinkhorn(scores.float(), 5))


def test_gumbel_noise_has_the_mean_and_the_spread_of_its_distribution_and_is_of_torchs_generator():
    torch.manual_seed(3)
    drawn = gumbel_noise(torch.empty(200_000))
    assert float(drawn.mean()) == pytest.approx(0.5772, abs=0.01)
    assert float(drawn.var()) == pytest.approx(torch.pi**2 / 6, abs=0.03)
    torch.manual_seed(3)
    assert torch.equal(gumbel_noise(torch.empty(200_000)), drawn)
