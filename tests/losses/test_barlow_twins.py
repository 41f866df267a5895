"""The Barlow Twins loss, against the formula of ISImed's code written out."""

import math

import pytest
import torch
from monai.losses import BarlowTwinsLoss as StockLoss
from torch import nn

from scripts.errors import InputError
from scripts.losses.barlow_twins import BarlowTwinsLoss, barlow_twins_loss, cross_correlation


def published_loss(first, second, lambd):
    """Batch normalisation without affine, C = z1^T z2 / N, both sums divided by D; one entry at a time."""
    number, features = len(first), len(first[0])

    def normalised(view):
        columns = []
        for i in range(features):
            column = [float(row[i]) for row in view]
            mean = sum(column) / number
            variance = sum((value - mean) ** 2 for value in column) / number
            columns.append([(value - mean) / math.sqrt(variance) for value in column])
        return columns

    a, b = normalised(first), normalised(second)
    invariance = redundancy = 0.0
    for i in range(features):
        for j in range(features):
            c = sum(x * y for x, y in zip(a[i], b[j], strict=True)) / number
            if i == j:
                invariance += (c - 1) ** 2
            else:
                redundancy += c**2
    return invariance / features + lambd * redundancy / features


@pytest.fixture
def views():
    """Correlated embeddings [13, 6] of two views."""
    shared = torch.randn(13, 6, dtype=torch.float64)
    return shared + 0.3 * torch.randn_like(shared), shared + 0.3 * torch.randn_like(shared)


@pytest.mark.parametrize("lambd", [0.0051, 1.0])
@pytest.mark.parametrize("shape", [(2, 3), (13, 6), (9, 20)])
def test_it_is_the_published_formula(shape, lambd):
    first, second = torch.randn(2, *shape, dtype=torch.float64)
    expected = published_loss(first, second, lambd)
    assert float(barlow_twins_loss(first, second, lambd)) == pytest.approx(expected, rel=1e-10)


def test_equal_views_with_orthogonal_features_cost_nothing():
    first = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    assert float(barlow_twins_loss(first, first)) == 0


@pytest.mark.parametrize("number", [2, 4, 32])
def test_equal_views_agree_exactly_where_monais_unbiased_variance_leaves_a_floor(number):
    first = torch.randn(number, 5, dtype=torch.float64)
    assert float(barlow_twins_loss(first, first, lambd=0)) < 1e-20
    floor = 5 / number**2  # of MONAI's loss: the diagonal is (N - 1) / N
    assert float(StockLoss(lambd=0)(first, first)) == pytest.approx(floor, rel=1e-3)


def test_the_same_feature_twice_costs_lambda():
    feature = torch.randn(50, 1, dtype=torch.float64)
    first = torch.cat([feature, feature], 1)
    assert float(barlow_twins_loss(first, first, lambd=0.25)) == pytest.approx(0.25)


def test_opposite_views_cost_four():
    first = torch.randn(10, 1, dtype=torch.float64)
    assert float(barlow_twins_loss(first, -first)) == pytest.approx(4)


def test_the_order_of_crops_changes_nothing(views):
    order = torch.randperm(13)
    shuffled = barlow_twins_loss(*(view[order] for view in views))
    assert float(shuffled) == pytest.approx(float(barlow_twins_loss(*views)), rel=1e-12)


def test_the_order_of_features_changes_nothing(views):
    order = torch.randperm(6)
    shuffled = barlow_twins_loss(*(view[:, order] for view in views))
    assert float(shuffled) == pytest.approx(float(barlow_twins_loss(*views)), rel=1e-12)


def test_views_may_be_exchanged(views):
    first, second = views
    assert float(barlow_twins_loss(second, first)) == pytest.approx(float(barlow_twins_loss(first, second)), rel=1e-12)


def test_shift_and_scale_of_a_feature_change_nothing(views):
    scale, shift = torch.rand(6, dtype=torch.float64) * 100 + 0.01, 50 * torch.randn(6, dtype=torch.float64)
    moved = barlow_twins_loss(views[0] * scale + shift, views[1])
    assert float(moved) == pytest.approx(float(barlow_twins_loss(*views)), rel=1e-9)


def test_the_sign_of_a_feature_in_both_views_changes_nothing(views):
    sign = torch.tensor([1, -1, 1, 1, -1, -1])
    turned = barlow_twins_loss(*(view * sign for view in views))
    assert float(turned) == pytest.approx(float(barlow_twins_loss(*views)), rel=1e-12)


def test_the_gradient_is_that_of_finite_differences(views):
    first, second = (view[:5, :3].clone().requires_grad_() for view in views)
    assert torch.autograd.gradcheck(barlow_twins_loss, (first, second))


def test_correlations_are_between_minus_one_and_one(views):
    correlation = cross_correlation(*views)
    assert correlation.shape == (6, 6) and correlation.abs().max() <= 1 + 1e-12
    expected = torch.corrcoef(torch.cat(views, 1).T)[:6, 6:]
    assert torch.allclose(correlation, expected)


@pytest.mark.parametrize("value", [0, 5, 33.3, 100.1, -1234.5])
@pytest.mark.parametrize("number", [8, 64, 1000])
def test_a_constant_feature_correlates_with_nothing_and_has_a_finite_gradient(number, value):
    first = torch.randn(number, 3)
    first[:, 1] = value
    assert cross_correlation(first, first)[1].abs().max() < 1e-3
    first.requires_grad_()
    loss = barlow_twins_loss(first, first)
    loss.backward()
    assert float(loss.detach()) > 0.33 and first.grad.isfinite().all()


@pytest.mark.parametrize("scale", [1e-15, 1e-5, 1e5, 1e15])
def test_extreme_embeddings_give_numbers(scale):
    first = (scale * torch.randn(16, 4)).requires_grad_()
    loss = barlow_twins_loss(first, scale * torch.randn(16, 4))
    loss.backward()
    assert loss.isfinite() and first.grad.isfinite().all()


def test_a_single_crop_gives_a_number():
    first = torch.randn(1, 4, requires_grad=True)
    loss = barlow_twins_loss(first, torch.randn(1, 4))
    loss.backward()
    assert float(loss.detach()) == 1 and first.grad.isfinite().all()


def test_bfloat16_embeddings_are_compared_in_float32(views):
    first, second = (view.bfloat16() for view in views)
    with torch.autocast("cpu", torch.bfloat16):
        loss = barlow_twins_loss(first, second)
    assert loss.dtype == torch.float32 and torch.equal(loss, barlow_twins_loss(first.float(), second.float()))


def held_out_agreement(first, second):
    """Mean correlation of a linear encoder's features between views that it was not fitted to."""
    half = len(first) // 2
    encoder = nn.Linear(first.shape[1], 4)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        barlow_twins_loss(encoder(first[:half]), encoder(second[:half])).backward()
        optimizer.step()
    with torch.no_grad():
        return float(cross_correlation(encoder(first[half:]), encoder(second[half:])).diagonal().mean())


def test_views_that_share_nothing_do_not_agree():
    assert abs(held_out_agreement(torch.randn(400, 30), torch.randn(400, 30))) < 0.15


def test_views_that_share_something_agree_in_it():
    shared = torch.randn(400, 4) @ torch.randn(4, 30)
    assert held_out_agreement(shared + torch.randn(400, 30), shared + torch.randn(400, 30)) > 0.7


@pytest.mark.parametrize("lambd", [-1, "word"])
def test_a_weight_that_is_no_positive_number_is_refused(lambd):
    with pytest.raises(InputError, match=f"lambd is {lambd}: give a number above 0"):
        BarlowTwinsLoss(lambd)


def test_the_module_compares_the_two_halves_of_a_batch(views):
    loss = BarlowTwinsLoss(0.01)(torch.cat(views), {})
    assert torch.equal(loss, barlow_twins_loss(*views, 0.01))


def test_a_head_is_between_the_embeddings_and_the_loss(views):
    head = nn.Linear(6, 9).double()
    loss = BarlowTwinsLoss(head=head)(torch.cat(views))
    assert torch.equal(loss, barlow_twins_loss(*map(head, views)))
    loss.backward()
    assert head.weight.grad.abs().sum() > 0
