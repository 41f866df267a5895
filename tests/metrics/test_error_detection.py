"""Areas of finding wrong voxels by their uncertainty, where they are known."""

import math

import pytest
import torch
from monai.data import MetaTensor

from scripts.errors import InputError
from scripts.metrics.error_detection import error_detection

TIES = [1, 3, 1000, None]  # how many levels of uncertainty there are


def case(levels, voxels=300, share=0.3):
    """Uncertainties of voxels, and whether they are wrong, which the uncertain ones more often are."""
    uncertainty = torch.rand(voxels)
    wrong = torch.rand(voxels) < share * 2 * uncertainty
    return (uncertainty if levels is None else (uncertainty * levels).floor() / levels), wrong


def slow_auroc(uncertainty, wrong):
    pairs = [(a, b) for a in uncertainty[wrong].tolist() for b in uncertainty[~wrong].tolist()]
    return sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)


def slow_average_precision(uncertainty, wrong):
    at = [wrong[uncertainty >= level].double().mean().item() for level in uncertainty[wrong]]
    return sum(at) / len(at)


@pytest.mark.parametrize("levels", TIES)
def test_areas_are_those_of_a_loop(levels):
    uncertainty, wrong = case(levels)
    found = error_detection(uncertainty, wrong)
    assert found.auroc == pytest.approx(slow_auroc(uncertainty, wrong), abs=1e-12)
    assert found.average_precision == pytest.approx(slow_average_precision(uncertainty, wrong), abs=1e-12)
    assert found.error_rate == pytest.approx(wrong.double().mean().item())


@pytest.mark.parametrize("levels", TIES)
def test_areas_are_those_of_scikit_learn(levels):
    metrics = pytest.importorskip("sklearn.metrics")
    uncertainty, wrong = case(levels, 20_000, 0.01)
    found = error_detection(uncertainty, wrong)
    assert found.auroc == pytest.approx(metrics.roc_auc_score(wrong, uncertainty), abs=1e-9)
    assert found.average_precision == pytest.approx(metrics.average_precision_score(wrong, uncertainty), abs=1e-9)


def test_a_map_that_knows_has_both_1_and_one_that_is_the_same_everywhere_ranks_by_chance():
    wrong = torch.rand(4, 5, 6) < 0.2
    assert error_detection(wrong.float(), wrong)[:2] == (1, 1)
    assert error_detection(-wrong.float(), wrong).auroc == 0
    blind = error_detection(torch.zeros(4, 5, 6), wrong)
    assert blind.auroc == 0.5 and blind.average_precision == pytest.approx(blind.error_rate)


def test_nothing_wrong_has_no_areas():
    found = error_detection(torch.rand(9), torch.zeros(9, dtype=torch.bool))
    assert math.isnan(found.auroc) and math.isnan(found.average_precision) and found.error_rate == 0


def test_of_voxels_that_are_all_wrong_nothing_is_ranked():
    found = error_detection(torch.rand(9), torch.ones(9, dtype=torch.bool))
    assert math.isnan(found.auroc) and found[1:] == (1, 1)


def test_maps_with_metadata_are_as_good():
    uncertainty, wrong = case(3)
    assert error_detection(MetaTensor(uncertainty), MetaTensor(wrong)) == error_detection(uncertainty, wrong)


def test_what_is_not_finite_is_refused():
    with pytest.raises(InputError, match="not finite in all voxels"):
        error_detection(torch.tensor([0.0, math.nan]), torch.tensor([True, False]))
