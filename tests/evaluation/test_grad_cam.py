"""Grad-CAM of a network of patches."""

import pytest
import torch
from monai.networks.nets import UNet

from scripts.evaluation.grad_cam import GradCAMOfPatches
from scripts.inferers.tiles import TileInferer
from scripts.networks.interactive_mil import InteractiveMIL

DEEPEST = "model.1.submodule.1.submodule"


@pytest.fixture
def network():
    return InteractiveMIL(UNet(3, 1, 2, (4, 8, 8), (2, 2), num_res_units=1), DEEPEST, [32] * 3, classes=3).eval()


def test_it_is_what_the_classifier_says_of_each_patch_less_its_constant_and_what_is_below_0(network):
    image = torch.randn(2, 1, 32, 32, 32)
    patches = network.pool(network.features(image))
    expected = torch.einsum("c,bcxyz->bxyz", network.local.weight[1], patches).relu()
    found = GradCAMOfPatches(network).of_class(1)(image)[:, 0] * 8**3  # the gradient of a mean of so many patches
    assert found.any() and torch.allclose(found, expected, atol=1e-6)


def test_maps_of_tiles_join_to_that_of_their_image(network):
    image, inferer = torch.randn(1, 1, 64, 32, 32), TileInferer([32] * 3, 1, lambda tiles, network: network(tiles))
    heat = GradCAMOfPatches(network).of_class(0)
    with torch.no_grad():
        joined = inferer(image, heat)
    assert torch.equal(joined[:, :, 8:], heat(image[:, :, 32:])) and not joined.requires_grad


def test_the_network_is_left_as_it_was(network):
    GradCAMOfPatches(network).of_class(0)(torch.randn(1, 1, 32, 32, 32))
    assert all(weight.grad is None for weight in network.parameters()) and not network.pool._forward_hooks
