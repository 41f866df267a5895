"""The loss of scans with one label, where the answer is known."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy

from scripts.errors import InputError
from scripts.losses.weak_label import WeakLabelLoss
from scripts.networks.bag_scores import POOLINGS, bag_of, in_patches

SHAPE = (4, 4, 2)


@pytest.fixture
def logits():
    return torch.randn(3, 2, *SHAPE)


@pytest.fixture
def target():
    seen = torch.ones(3, 1, 16, 16, 8)
    seen[2, :, 8:] = 0
    mask = torch.zeros(3, 1, 16, 16, 8)
    mask[0, :, :4, :4, :4] = 1
    mask[1, :, :5, :4, :4] = 1
    label = torch.tensor([1.0, 1.0, 0.0])
    return {"class_label": label, "seen": seen, "label": mask, "guided": torch.tensor([1.0, 0.0, 1.0])}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_it_is_the_binary_cross_entropy_of_the_scores(logits, target, pooling):
    seen = in_patches(target["seen"], SHAPE)
    scores = torch.stack([bag_of(logits[i], seen[i], pooling, 0.5).score[0] for i in range(3)])
    expected = binary_cross_entropy(scores.float(), target["class_label"])
    assert torch.isclose(WeakLabelLoss(pooling, 0.5)(logits, target), expected, atol=1e-5)


def test_of_several_classes_it_is_the_mean_of_minus_log_y(target):
    logits, target = torch.randn(3, 5, *SHAPE), target | {"class_label": torch.tensor([[3.0], [0.0], [1.0]])}
    seen = in_patches(target["seen"], SHAPE)
    expected = [-math.log(bag_of(logits[i], seen[i], "interactive", 0.9).score[c]) for i, c in enumerate((3, 0, 1))]
    assert float(WeakLabelLoss("interactive", 0.9)(logits, target)) == pytest.approx(sum(expected) / 3, abs=1e-5)


def test_padding_has_no_gradient(logits, target):
    logits.requires_grad_()
    WeakLabelLoss(guidance_weight=1.0)(logits, target).backward()
    assert not logits.grad[2, :, 2:].any() and logits.grad[2, :, :2].all()


def test_a_whole_score_needs_attention_so_that_it_is_pushed_up(target):
    few = torch.zeros(3, 2, *SHAPE)
    few[:, 1] = -6
    few.requires_grad_()
    WeakLabelLoss(min_attention=0.5)(few, target | {"class_label": torch.ones(3)}).backward()
    assert (few.grad[:2, 1] < 0).all()


def test_guidance_is_the_mean_cross_entropy_of_the_patches_of_guided_scans(logits, target):
    weight = 2.0
    guidance = WeakLabelLoss(guidance_weight=weight)(logits, target) - WeakLabelLoss()(logits, target)
    marked = torch.zeros(3, *SHAPE)
    marked[0, 0, 0, 0] = 1
    first = binary_cross_entropy(logits[0, 0].sigmoid(), marked[0])
    last = binary_cross_entropy(logits[2, 0, :2].sigmoid(), marked[2, :2])
    assert torch.isclose(guidance, weight * (first + last) / 3, atol=1e-5)


def test_of_several_classes_patches_with_lesion_alone_are_guided(target):
    logits = torch.randn(3, 4, *SHAPE)
    target = target | {"class_label": torch.tensor([2.0, 1.0, 0.0])}
    guidance = WeakLabelLoss(guidance_weight=1.0)(logits, target) - WeakLabelLoss()(logits, target)
    expected = -logits[0, :3, 0, 0, 0].log_softmax(0)[2] / 32 / 3
    assert torch.isclose(guidance, expected, atol=1e-5)


def test_noise_cannot_be_told_beyond_chance():
    """A label that no patch knows of costs log 2 at least, in the mean of many scans."""
    logits, label = torch.randn(4000, 2, 2, 2, 2), torch.arange(4000) % 2
    target = {"class_label": label, "seen": torch.ones(4000, 1, 2, 2, 2)}
    assert float(WeakLabelLoss()(logits, target)) > math.log(2)


def test_a_pooling_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="interactive, mean, attention"):
        WeakLabelLoss("max")
