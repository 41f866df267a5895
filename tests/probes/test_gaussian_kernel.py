"""Kernel regression by features."""

import torch

from scripts.probes.gaussian_kernel import GaussianKernel


def kernel(first, second):
    return torch.exp(-((first[:, None] - second[None]) ** 2).sum(2) / 2)


def test_inner_products_of_training_points_are_the_kernels():
    points = 3 * torch.randn(40, 3).double()
    features = GaussianKernel(points)(points)
    assert torch.allclose(features @ features.T, kernel(points, points), atol=1e-6)


def test_ridge_regression_from_them_is_kernel_ridge_regression():
    points, asked, targets = (
        2 * torch.randn(40, 3).double(),
        2 * torch.randn(9, 3).double(),
        torch.randn(40, 2).double(),
    )
    features = GaussianKernel(points)
    known, penalty = features(points), 0.1
    weights = torch.linalg.solve(known.T @ known + penalty * torch.eye(known.shape[1]), known.T @ targets)
    expected = kernel(asked, points) @ torch.linalg.solve(kernel(points, points) + penalty * torch.eye(40), targets)
    assert torch.allclose(features(asked) @ weights, expected, atol=1e-5)


def test_fewer_centres_are_nearly_as_good_where_points_lie_close():
    points = torch.rand(300, 2).double()
    features = GaussianKernel(points, most=40)(points)
    assert features.shape[1] <= 40
    assert torch.allclose(features @ features.T, kernel(points, points), atol=1e-3)
