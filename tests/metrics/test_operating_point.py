"""The threshold is the best of all, by trying all."""

import math

import pytest
import torch

from scripts.metrics.operating_point import best_threshold, sensitivity_specificity


@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_better(seed):
    generator = torch.Generator().manual_seed(seed)
    labels = (torch.rand(60, generator=generator) > 0.7).float()
    scores = (torch.randn(60, generator=generator) + labels).round(decimals=1)  # with ties
    threshold = best_threshold(scores, labels)
    tried = torch.cat([scores - 0.05, scores + 0.05])
    best = max(sum(sensitivity_specificity(scores, labels, float(one))) for one in tried)
    assert sum(sensitivity_specificity(scores, labels, threshold)) == pytest.approx(best)


def test_it_lies_between_two_scores():
    assert best_threshold(torch.tensor([0.0, 4, 1, 5]), torch.tensor([0.0, 1, 0, 1])) == 2.5


def test_shares_are_of_each_kind():
    scores, labels = torch.tensor([0.0, 1, 2, 3, 4]), torch.tensor([0.0, 1, 0, 1, 1])
    assert sensitivity_specificity(scores, labels, 2) == pytest.approx((2 / 3, 1 / 2))


@pytest.mark.parametrize("label", [0, 1])
def test_one_label_alone_gives_no_threshold_and_no_threshold_decides_nothing(label):
    threshold = best_threshold(torch.tensor([1.0, 2]), torch.full((2,), float(label)))
    assert math.isnan(threshold)
    shares = sensitivity_specificity(torch.tensor([0.0, 1]), torch.tensor([0.0, 1]), threshold)
    assert all(map(math.isnan, shares))
