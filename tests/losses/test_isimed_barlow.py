"""The combined losses are what they combine."""

import pytest
import torch
from torch import nn

from scripts.errors import InputError
from scripts.losses.barlow_twins import barlow_twins_loss
from scripts.losses.distance import distance_loss
from scripts.losses.isimed_barlow import ISImedBarlowLoss, TwoHeadLoss


@pytest.fixture
def views():
    """Embeddings [8, 5] of two views."""
    shared = 20 * torch.randn(8, 5, dtype=torch.float64)
    return shared + torch.randn_like(shared), shared + torch.randn_like(shared)


@pytest.fixture
def target():
    return {"location": 30 * torch.randn(8, 3, dtype=torch.float64), "scan": torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])}


@pytest.fixture
def heads():
    return nn.Linear(5, 4).double(), nn.Linear(5, 7).double()


def test_distances_are_those_of_the_mean_of_both_views(views, target):
    expected = distance_loss((views[0] + views[1]) / 2, target["location"])
    assert torch.equal(ISImedBarlowLoss().distance_term(torch.cat(views), target), expected)


def test_views_are_correlated_before_they_are_averaged(views, target):
    expected = barlow_twins_loss(*views, 0.2)
    assert torch.equal(ISImedBarlowLoss(lambd=0.2).barlow_term(torch.cat(views), target), expected)


def test_the_terms_are_added_with_their_weight(views, target):
    loss = ISImedBarlowLoss(weight=300)
    distance, barlow = (term(torch.cat(views), target) for term in (loss.distance_term, loss.barlow_term))
    assert float(loss(torch.cat(views), target)) == pytest.approx(float(distance + 300 * barlow))


def test_equal_views_at_their_places_cost_their_correlations_alone(target):
    embedding = target["location"]
    loss = ISImedBarlowLoss(weight=10, lambd=0.5)
    expected = 10 * float(barlow_twins_loss(embedding, embedding, 0.5))
    assert float(loss(torch.cat([embedding, embedding]), target)) == pytest.approx(expected)


def test_views_may_be_exchanged(views, target, heads):
    for loss in (ISImedBarlowLoss(), TwoHeadLoss(*heads)):
        first, second = (float(loss(torch.cat(order), target)) for order in (views, views[::-1]))
        assert first == pytest.approx(second, rel=1e-10)


def test_the_order_of_crops_changes_nothing(views, target, heads):
    order = torch.randperm(8)
    shuffled = {key: value[order] for key, value in target.items()}
    for loss in (ISImedBarlowLoss(), TwoHeadLoss(*heads), ISImedBarlowLoss(pairs="within")):
        before, after = loss(torch.cat(views), target), loss(torch.cat([view[order] for view in views]), shuffled)
        assert float(after) == pytest.approx(float(before), rel=1e-10)


def test_moving_all_places_together_changes_nothing(views, target):
    rotation = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q
    moved = target | {"location": target["location"] @ rotation + 100}
    loss = ISImedBarlowLoss()
    assert float(loss(torch.cat(views), moved)) == pytest.approx(float(loss(torch.cat(views), target)), rel=1e-10)


@pytest.mark.parametrize("two_heads", [False, True])
def test_the_gradient_is_that_of_finite_differences(views, target, heads, two_heads):
    loss = TwoHeadLoss(*heads) if two_heads else ISImedBarlowLoss()
    assert torch.autograd.gradcheck(lambda z: loss(z, target), torch.cat(views).requires_grad_())


def test_behind_heads_distances_are_the_mean_of_those_of_both_views(views, target, heads):
    loss = TwoHeadLoss(*heads, weight=50, lambd=0.3)
    first, second = (distance_loss(heads[0](view), target["location"]) for view in views)
    assert torch.equal(loss.distance_term(torch.cat(views), target), (first + second) / 2)
    barlow = barlow_twins_loss(*map(heads[1], views), 0.3)
    expected = float((first + second) / 2 + 50 * barlow)
    assert float(loss(torch.cat(views), target)) == pytest.approx(expected)


def test_either_head_learns_from_its_own_loss(views, target, heads):
    loss = TwoHeadLoss(*heads)
    loss.distance_term(torch.cat(views), target).backward()
    assert heads[0].weight.grad.abs().sum() > 0 and heads[1].weight.grad is None
    loss.zero_grad()
    loss.barlow_term(torch.cat(views), target).backward()
    assert heads[1].weight.grad.abs().sum() > 0 and heads[0].weight.grad is None


def test_pairs_may_be_those_within_scans(views, target, heads):
    for loss in (ISImedBarlowLoss(pairs="within"), TwoHeadLoss(*heads, pairs="within")):
        moved = target | {"location": target["location"] + 500 * target["scan"][:, None]}
        before, after = (float(loss(torch.cat(views), places)) for places in (target, moved))
        assert after == pytest.approx(before, rel=1e-10)


def test_unknown_pairs_are_refused():
    with pytest.raises(InputError, match="pairs is some"):
        ISImedBarlowLoss(pairs="some")


def test_a_weight_that_is_no_positive_number_is_refused():
    with pytest.raises(InputError, match="barlow_weight is heavy: give a number above 0"):
        ISImedBarlowLoss(weight="heavy")


def test_neither_term_can_be_met_on_noise():
    location, weight = 30 * torch.rand(160, 3), 2000
    first, second = torch.randn(2, 160, 60)
    target = {"location": location[:80]}
    encoder, loss = nn.Linear(60, 8), ISImedBarlowLoss(weight)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        loss(encoder(torch.cat([first[:80], second[:80]])), target).backward()
        optimizer.step()
    with torch.no_grad():
        held_out = encoder(torch.cat([first[80:], second[80:]]))
        distance = float(loss.distance_term(held_out, {"location": location[80:]}))
        agreement = float(loss.barlow_term(held_out, {}))
    physical = torch.pdist(location[80:])
    assert distance > float((physical - physical.mean()).square().mean())
    assert agreement > 0.8
