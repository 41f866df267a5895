"""The probe is ridge regression, with the penalty that validation chooses."""

import pytest
import torch

from scripts.probes.ridge import PENALTIES, RidgeProbe


@pytest.fixture
def noisy():
    """Features [N, 40] and targets [N, 3] that depend on them with noise: training, validation, test."""
    weights = torch.randn(40, 3)

    def draw(number):
        features = 5 + torch.randn(number, 40) * torch.logspace(-2, 2, 40)
        return features, features @ weights * 0.01 + 10 + torch.randn(number, 3)

    return draw(60), draw(50), draw(70)


def ridge(train, penalty, features):
    """The solution of the normal equations with standardised features."""
    x, y = (part.double() for part in train)
    mean, scale = x.mean(0), x.std(0)
    x = (x - mean) / scale
    system = x.T @ x + penalty * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(system, x.T @ (y - y.mean(0)))
    return (features.double() - mean) / scale @ weights + y.mean(0)


def test_a_linear_map_is_recovered():
    weights = torch.randn(6, 3, dtype=torch.float64)
    features = 100 * torch.randn(200, 6) + 7
    targets = features.double() @ weights + 50
    prediction = RidgeProbe(features[:100], targets[:100], features[100:150], targets[100:150])(features[150:])
    assert (prediction - targets[150:]).norm(dim=1).mean() < 1e-3 * targets.std()


def test_it_is_ridge_regression_with_the_penalty_that_is_best_in_validation(noisy):
    train, validate, test = noisy
    errors = {p: float((ridge(train, p, validate[0]) - validate[1]).norm(dim=1).mean()) for p in PENALTIES}
    best = min(errors, key=errors.get)
    probe = RidgeProbe(*train, *validate)
    assert best not in (PENALTIES[0], PENALTIES[-1])
    assert probe.penalty == best
    assert torch.allclose(probe(test[0]), ridge(train, best, test[0]))


def test_other_validation_data_choose_another_penalty(noisy):
    train, (features, targets), _ = noisy
    assert RidgeProbe(*train, *train).penalty < RidgeProbe(*train, features, targets).penalty


def test_more_features_than_crops_are_fine():
    features, targets = torch.randn(10, 50), torch.randn(10, 3)
    assert torch.isfinite(RidgeProbe(features, targets, features, targets)(torch.randn(5, 50))).all()


def test_a_feature_that_never_varied_in_training_is_left_out():
    features, targets = torch.randn(30, 4), torch.randn(30, 3)
    features[:, 2] = 0.1
    changed = features.clone()
    changed[:, 2] = 9
    probe = RidgeProbe(features, targets, features, targets)
    assert torch.allclose(probe(changed), probe(features))
