"""Scores of bags of patches, against the formula and where the answer is known."""

import math

import pytest
import torch

from scripts.errors import InputError
from scripts.networks.bag_scores import POOLINGS, bag_of, in_patches, log_scores, share_of_patches

SHAPE = (2, 3, 2)


@pytest.fixture
def seen():
    """Which patches of two bags count: all of the first, and eight of the second."""
    seen = torch.ones(2, *SHAPE, dtype=torch.bool)
    seen[1, :, 2] = False
    return seen


def logits(classes=1, seed=0):
    return 3 * torch.randn(2, classes + 1, *SHAPE, generator=torch.Generator().manual_seed(seed))


def by_the_paper(logits, seen, least, classes):
    """Equation of the paper for one bag as a slow loop, in double precision."""
    total, attended = 0.0, [0.0] * classes
    places = [tuple(place) for place in seen.nonzero().tolist()]
    for place in places:
        values = logits[(slice(None), *place)].double()
        local = values[:-1].sigmoid() if classes == 1 else values[:-1].softmax(0)
        attention = float(values[-1].sigmoid())
        total += attention
        for i in range(classes):
            attended[i] += attention * float(local[i])
    return [one / max(total, least * len(places)) for one in attended]


@pytest.mark.parametrize("least", [0.001, 0.9])
def test_a_score_of_two_classes_is_that_of_the_paper(seen, least):
    scores = log_scores(logits(), seen, min_attention=least).exp()
    for i in range(2):
        (expected,) = by_the_paper(logits()[i], seen[i], least, 1)
        assert scores[i].tolist() == pytest.approx([1 - expected, expected], abs=1e-6)


@pytest.mark.parametrize("least", [0.001, 0.9])
def test_scores_of_several_classes_are_those_of_the_paper(seen, least):
    scores = log_scores(logits(4), seen, min_attention=least).exp()
    for i in range(2):
        assert scores[i].tolist() == pytest.approx(by_the_paper(logits(4)[i], seen[i], least, 4), abs=1e-6)


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_what_is_no_patch_changes_nothing(seen, pooling, classes):
    changed = logits(classes)
    changed[1, :, :, 2] = 50
    before, after = (log_scores(some, seen, pooling) for some in (logits(classes), changed))
    assert torch.equal(before, after)


def test_the_mean_is_a_linear_classifier_of_the_mean_patch(seen):
    mean = torch.stack([logits()[i, 0][seen[i]].mean() for i in range(2)])
    assert torch.allclose(log_scores(logits(), seen, "mean")[:, 1].exp(), mean.sigmoid(), atol=1e-6)


def test_attention_is_a_linear_classifier_of_the_attended_patch(seen):
    expected = [(logits()[i, 1][seen[i]].softmax(0) * logits()[i, 0][seen[i]]).sum().sigmoid() for i in range(2)]
    assert torch.allclose(log_scores(logits(), seen, "attention")[:, 1].exp(), torch.stack(expected), atol=1e-6)


@pytest.mark.parametrize("size", [1e2, 1e4])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_logits_of_any_size_have_finite_scores_and_gradients(seen, pooling, size):
    large = (logits() * size).requires_grad_()
    log_scores(large, seen, pooling).clamp(min=-1e6).sum().backward()
    assert large.grad.isfinite().all()


def test_a_bag_in_which_nothing_is_attended_to_has_no_score(seen):
    blind = logits()
    blind[:, 1] = -200
    scores = log_scores(blind, seen)
    assert scores.isfinite().all() and torch.allclose(scores.exp(), torch.tensor([1.0, 0.0]))


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_bag_has_the_score_of_the_loss(seen, pooling, classes):
    for i in range(2):
        bag = bag_of(logits(classes)[i], seen[i], pooling, 0.3)
        expected = log_scores(logits(classes)[i : i + 1], seen[i : i + 1], pooling, 0.3)[0].exp().double()
        assert torch.allclose(bag.score, expected[-len(bag.score) :], atol=1e-6)


def test_contributions_sum_to_the_score(seen):
    bag = bag_of(logits(3)[1], seen[1])
    assert torch.allclose(bag.contribution.sum((1, 2, 3)), bag.score) and bag.patches == 8


def test_what_is_ignored_counts_as_if_it_were_no_patch_where_enough_is_left(seen):
    ignored = torch.zeros(SHAPE)
    ignored[:, 2] = 1
    kept = bag_of(logits()[0], seen[1], min_attention=1e-6)
    assert torch.allclose(bag_of(logits()[0], seen[0], min_attention=1e-6, ignore=ignored).score, kept.score)


def test_a_half_that_is_ignored_halves_the_attention(seen):
    bag, half = bag_of(logits()[0], seen[0]), bag_of(logits()[0], seen[0], ignore=torch.full(SHAPE, 0.5))
    assert torch.allclose(half.attention, bag.attention / 2)


def test_attention_is_raised_to_the_share_that_is_attended_to_and_never_lowered(seen):
    bag, raised = bag_of(logits()[0], seen[0]), bag_of(logits()[0], seen[0], attend=torch.full(SHAPE, 0.5))
    assert torch.equal(raised.attention, bag.attention.clamp(min=0.5))


def test_a_network_without_attention_of_its_own_is_not_corrected(seen):
    with pytest.raises(InputError, match="pooling is mean"):
        bag_of(logits()[0], seen[0], "mean", ignore=torch.ones(SHAPE))


def test_a_patch_counts_where_one_of_its_voxels_is_seen():
    mask = torch.zeros(1, 1, 8, 8, 8)
    mask[..., :5, 0, 0] = 1
    assert in_patches(mask, torch.Size([2, 2, 2]))[0].nonzero().tolist() == [[0, 0, 0], [1, 0, 0]]


def test_a_mask_covers_a_share_of_a_patch():
    mask = torch.zeros(1, 8, 8, 8)
    mask[:, :2] = 1
    assert share_of_patches(mask, torch.ones_like(mask), torch.Size([2, 2, 2])).tolist() == [
        [[0.5] * 2] * 2,
        [[0.0] * 2] * 2,
    ]


def test_two_classes_sum_to_one_whatever_is_attended_to(seen):
    assert math.isclose(float(log_scores(logits(), seen, min_attention=1.0).exp().sum()), 2, abs_tol=1e-5)
