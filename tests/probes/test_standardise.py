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
