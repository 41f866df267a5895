"""Features have one unit, that of training."""

import torch

from scripts.probes.standardise import Standardise


def test_training_features_have_mean_0_and_deviation_1():
    features = 100 * torch.randn(50, 4) * torch.logspace(-6, 2, 4) + 7
    standard = Standardise(features)(features)
    assert torch.allclose(standard.mean(0), torch.zeros(4).double(), atol=1e-6)
    assert torch.allclose(standard.std(0), torch.ones(4).double())


def test_others_are_measured_in_the_units_of_training():
    features = torch.tensor([[0.0, 10], [2, 30]])
    assert torch.allclose(Standardise(features)(torch.tensor([[1.0, 40]])), torch.tensor([[0, 2**0.5]]).double())


def test_a_feature_that_never_varied_keeps_its_unit():
    features = torch.full((7, 1), 0.1)
    assert torch.allclose(Standardise(features)(features + 5), torch.full((7, 1), 5.0).double())


def test_a_feature_far_out_is_clipped():
    features = torch.tensor([[0.0], [2]])
    assert Standardise(features)(torch.tensor([[1e6], [-1e6]])).tolist() == [[8], [-8]]


def test_a_feature_that_hardly_varied_in_training_does_not_drown_the_others():
    """As after a ReLU: few crops of few subjects have a feature, and another subject's have a hundred times as much."""

    def draw(number, seldom):
        features = torch.randn(number, 3).double()
        target = features[:, :1] + 0.1 * torch.randn(number, 1)
        features[:, 2] = 1e-3 * torch.randn(number)
        features[::50, 2] = seldom
        return features, target

    (train, target), (test, true) = draw(100, 0.0), draw(200, 5.0)
    standardise = Standardise(train)
    plain = [(features - standardise.mean) / standardise.scale for features in (train, test)]
    clipped = [standardise(features) for features in (train, test)]

    def r2(train, test):
        weights = torch.linalg.solve(train.T @ train + torch.eye(3), train.T @ (target - target.mean()))
        return float(1 - (test @ weights + target.mean() - true).square().sum() / (true - true.mean()).square().sum())

    assert r2(*clipped) > 0.9 and r2(*plain) < 0
