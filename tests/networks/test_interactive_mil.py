"""The network of patches, and which patches there are."""

import pytest
import torch
from monai.networks.nets import DenseNet121, UNet

from scripts.errors import InputError
from scripts.networks.interactive_mil import InteractiveMIL
from scripts.networks.transfer import load_parts

DEEPEST = "model.1.submodule.1.submodule"


def small_unet(dimensions=3):
    return UNet(dimensions, 1, 2, (4, 8, 8), (2, 2), num_res_units=1)


@pytest.mark.parametrize(("classes", "channels"), [(2, 2), (3, 4)])
def test_two_classes_have_one_logit_and_more_have_one_each_beside_attention(classes, channels):
    network = InteractiveMIL(small_unet(), DEEPEST, [32] * 3, classes)
    assert network(torch.zeros(2, 1, 32, 32, 32)).shape == (2, channels, 8, 8, 8)


def test_patches_are_the_positions_of_a_densenets_layer():
    network = InteractiveMIL(DenseNet121(3, 1, 1), "features.transition2.relu", [32] * 3).eval()
    assert network(torch.zeros(1, 1, 32, 32, 32)).shape == (1, 2, 4, 4, 4)


def test_a_slice_has_patches_of_two_dimensions():
    assert InteractiveMIL(small_unet(2), DEEPEST, [64, 32, 1])(torch.zeros(1, 1, 64, 32)).shape == (1, 2, 16, 8)


def test_patches_are_means_of_boxes_around_regular_places():
    network = InteractiveMIL(small_unet(), DEEPEST, [32] * 3, patch_size=4, patch_stride=2).eval()
    image = torch.randn(1, 1, 32, 32, 32)
    patches = network.pool(network.features(image))
    expected = network.features(image)[:, :, 1:5, 1:5, 1:5].mean((2, 3, 4))
    assert patches.shape[2:] == (4, 4, 4) and torch.allclose(patches[:, :, 1, 1, 1], expected, atol=1e-6)


def test_logits_are_those_of_gated_attention():
    network = InteractiveMIL(small_unet(), DEEPEST, [32] * 3).eval()
    image = torch.randn(1, 1, 32, 32, 32)
    patch = network.features(image)[0, :, 3, 4, 5]
    gated = torch.tanh(network.what.weight @ patch + network.what.bias) * torch.sigmoid(
        network.gate.weight @ patch + network.gate.bias
    )
    expected = network.attention.weight @ gated + network.attention.bias
    assert torch.allclose(network(image)[0, 1, 3, 4, 5], expected[0], atol=1e-6)


@pytest.mark.parametrize(("size", "stride"), [(1, 2), (2, 1), (3, 3)])
def test_patches_that_do_not_cover_the_map_evenly_are_refused(size, stride):
    with pytest.raises(InputError, match="evenly"):
        InteractiveMIL(small_unet(), DEEPEST, [32] * 3, patch_size=size, patch_stride=stride)


def test_it_begins_with_an_encoder_of_which_it_has_the_first_layers(tmp_path):
    encoder = DenseNet121(3, 1, 7)
    torch.save(encoder.state_dict(), tmp_path / "encoder.pt")
    network = InteractiveMIL(DenseNet121(3, 1, 1), "features.transition2.relu", [32] * 3)
    load_parts(network.features, str(tmp_path / "encoder.pt"), ["features"])
    assert torch.equal(network.state_dict()["features.features.conv0.weight"], encoder.features.conv0.weight)


def test_it_can_be_scripted():
    network = InteractiveMIL(small_unet(), DEEPEST, [32] * 3).eval()
    image = torch.randn(1, 1, 32, 32, 32)
    assert torch.allclose(torch.jit.script(network)(image), network(image), atol=1e-6)
