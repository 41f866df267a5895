"""What is done to slices is what would be done to a volume about the same axis."""

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import RandGaussianNoise, RandRotate, Rotate

from scripts.transforms.slicewise import Slicewise


@pytest.mark.parametrize(("axis", "sign"), [(0, 1), (1, -1), (2, 1)])
@pytest.mark.parametrize("size", [(9, 9, 9), (9, 7, 8)], ids=["cube", "no cube"])
def test_a_turn_of_all_slices_is_a_turn_about_their_axis(axis, sign, size):
    image, angle = torch.rand(2, *size), 0.7
    expected = Rotate([angle if one == axis else 0.0 for one in range(3)], padding_mode="border")(image)
    turned = Slicewise(Rotate(sign * angle, padding_mode="border"), axis)(image)
    assert torch.allclose(turned, expected.as_tensor(), atol=1e-5)


def test_the_random_state_decides_on_what_is_random():
    turn, image = Slicewise(RandRotate(range_x=3.0, prob=1.0), 0), torch.rand(1, 5, 6, 6)
    first, again, other = (turn.set_random_state(seed)(image) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_what_is_not_random_has_no_random_state():
    double = Slicewise(lambda slices: 2 * slices, 1).set_random_state(0)
    assert torch.equal(double(torch.ones(1, 2, 3, 4)), 2 * torch.ones(1, 2, 3, 4))


def test_metadata_of_which_slices_know_nothing_are_left_out(oblique):
    image = MetaTensor(torch.rand(1, 4, 5, 6), affine=oblique(0))
    assert type(Slicewise(RandGaussianNoise(prob=1.0), 2)(image)) is torch.Tensor
