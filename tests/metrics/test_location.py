"""Errors of place and distance, against their definitions."""

import pytest
import torch

from scripts.metrics.location import Crops, distance_figures, location_figures, physical_pairs
from scripts.metrics.subject_bootstrap import SubjectBootstrap

ONCE = SubjectBootstrap(range(20), repeats=0)


@pytest.fixture
def places():
    return torch.randn(20, 3), 40 * torch.randn(20, 3)


def test_errors_of_places_are_means_of_distances(places):
    prediction, target = places
    error, axes, _ = location_figures(ONCE, prediction, target)
    expected = sum(float(((p - t) ** 2).sum().sqrt()) for p, t in zip(prediction, target, strict=True)) / 20
    assert error.tolist() == pytest.approx([expected])
    assert axes[0].tolist() == pytest.approx((prediction - target).abs().mean(0).tolist())


def test_r2_is_the_share_of_variance_that_is_explained(places):
    prediction, target = places
    expected = [
        1
        - sum((p - t) ** 2 for p, t in zip(prediction[:, i], target[:, i], strict=True))
        / sum((t - target[:, i].mean()) ** 2 for t in target[:, i])
        for i in range(3)
    ]
    r2 = location_figures(ONCE, prediction, target)[2][0]
    assert r2.tolist() == pytest.approx([float(value) for value in expected], rel=1e-4)


def test_r2_of_a_draw_is_that_of_its_subjects(places):
    prediction, target = places
    draws = SubjectBootstrap(range(20), repeats=1)
    drawn = torch.arange(20).repeat_interleave(draws.counts[1].long())
    expected = location_figures(ONCE, prediction[drawn], target[drawn])[2][0]
    assert location_figures(draws, prediction, target)[2][1].tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_one_place_for_all_is_a_prediction_too(places):
    target = places[1]
    error, _, r2 = location_figures(ONCE, target.mean(0), target)
    assert float(error[0]) == pytest.approx(float((target - target.mean(0)).norm(dim=1).mean()))
    assert r2[0].tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_distances_are_off_and_correlate_as_they_are_defined():
    prediction, target, counted = torch.rand(190), torch.rand(190), torch.arange(190) % 3 == 0
    error, correlation = distance_figures(ONCE, prediction, target, counted)
    assert float(error) == pytest.approx(float((prediction - target)[counted].abs().mean()))
    expected = torch.corrcoef(torch.stack([prediction, target])[:, counted])[0, 1]
    assert float(correlation) == pytest.approx(float(expected), abs=1e-5)


def test_distances_are_those_of_all_pairs_and_it_is_known_which_are_within_a_scan():
    crops = Crops(torch.randn(9, 8), 40 * torch.randn(9, 3), torch.arange(9) % 2, torch.randn(9, 20))
    physical, same = physical_pairs(crops)
    pairs = [(i, j) for i in range(9) for j in range(i + 1, 9)]
    assert physical.tolist() == pytest.approx([float((crops.location[i] - crops.location[j]).norm()) for i, j in pairs])
    assert same.tolist() == [bool(crops.scan[i] == crops.scan[j]) for i, j in pairs]
