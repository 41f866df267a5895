"""Crops are placed by the scan's own windows."""

import pytest
import torch

from scripts.landmarks.place_regression import PENALTY, PlaceRegression


def test_crops_are_placed_where_windows_of_their_embedding_are():
    torch.manual_seed(0)
    directions = torch.randn(3, 64, dtype=torch.float64)
    windows = 40 * torch.rand(200, 3, dtype=torch.float64)
    crops = 5 + 30 * torch.rand(4, 7, 3, dtype=torch.float64)
    found = PlaceRegression(windows @ directions, windows)(crops @ directions)
    assert found.shape == crops.shape and (found - crops).norm(dim=-1).max() < 0.2


def test_a_scan_of_one_window_says_that_all_is_there():
    place = torch.tensor([[3.0, 4.0, 5.0]])
    assert torch.allclose(PlaceRegression(torch.randn(1, 8), place)(torch.randn(2, 8)), place.double())


@pytest.mark.parametrize(("windows", "features"), [(40, 8), (8, 40)])
def test_it_is_ridge_regression_whether_windows_or_features_are_more(windows, features):
    torch.manual_seed(1)
    embeddings, places = torch.randn(windows, features), torch.randn(windows, 3)
    found = PlaceRegression(embeddings, places)
    standard, centred = found.standardise(embeddings), places.double() - places.double().mean(0)
    penalty = (PENALTY * features) ** 0.5 * torch.eye(features).double()
    weights = torch.linalg.pinv(torch.cat([standard, penalty])) @ torch.cat(
        [centred, torch.zeros(features, 3).double()]
    )
    assert torch.allclose(found.weights, weights, atol=1e-9)
