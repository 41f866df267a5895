"""The decomposition is one."""

import pytest
import torch

from scripts.probes.thin_svd import thin_svd


@pytest.mark.parametrize("shape", [(30, 7), (7, 30)])
def test_the_factors_are_orthogonal_and_make_the_features(shape):
    features = torch.randn(shape).double()
    u, s, v = thin_svd(features)
    assert torch.allclose((u * s) @ v, features)
    assert torch.allclose(u.T @ u, torch.eye(7).double()) and torch.allclose(v @ v.T, torch.eye(7).double())
    assert torch.allclose(s.sort(descending=True)[0], torch.linalg.svdvals(features))


@pytest.mark.parametrize("shape", [(30, 7), (7, 30)])
def test_directions_without_features_are_left_out(shape):
    features = torch.randn(shape[0], 2).double() @ torch.randn(2, shape[1]).double()
    assert len(thin_svd(features)[1]) == 2


@pytest.mark.parametrize("shape", [(4, 0), (4, 3)])
def test_nothing_is_left_of_no_features_or_of_zeros(shape):
    u, s, v = thin_svd(torch.zeros(shape).double())
    assert u.shape == (4, 0) and s.shape == (0,) and v.shape == (0, shape[1])
