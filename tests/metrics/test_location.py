"""Errors of place and distance, against their definitions."""

import pytest
import torch

from scripts.metrics.location import Crops, distance_pairs, r2_score


def test_r2_is_the_share_of_variance_that_is_explained():
    prediction, target = torch.randn(20, 3), torch.randn(20, 3)
    expected = [
        1
        - sum((p - t) ** 2 for p, t in zip(prediction[:, i], target[:, i], strict=True))
        / sum((t - target[:, i].mean()) ** 2 for t in target[:, i])
        for i in range(3)
    ]
    assert r2_score(prediction, target).tolist() == pytest.approx([float(value) for value in expected], rel=1e-4)


def test_r2_is_one_for_the_truth_and_zero_for_its_mean():
    target = torch.randn(20, 3)
    assert r2_score(target, target).tolist() == [1, 1, 1]
    assert r2_score(target.double().mean(0).expand(20, 3), target).tolist() == pytest.approx([0, 0, 0], abs=1e-12)


def test_distances_are_those_of_all_pairs_and_it_is_known_which_are_within_a_scan():
    crops = Crops(torch.randn(9, 8), 40 * torch.randn(9, 3), torch.arange(9) % 2, torch.randn(9, 20))
    latent, physical, same = distance_pairs(crops)
    pairs = [(i, j) for i in range(9) for j in range(i + 1, 9)]
    assert latent.tolist() == pytest.approx([float((crops.embedding[i] - crops.embedding[j]).norm()) for i, j in pairs])
    assert physical.tolist() == pytest.approx([float((crops.location[i] - crops.location[j]).norm()) for i, j in pairs])
    assert same.tolist() == [bool(crops.scan[i] == crops.scan[j]) for i, j in pairs]
