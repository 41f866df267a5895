"""Controls replace what a network sees, and nothing else."""

import pytest
import torch
from monai.transforms import Compose

from scripts.errors import InputError
from scripts.transforms.control import CONTROLS, Controld


def controlled(control, image, **others):
    return Controld("image", control).set_random_state(0)({"image": image, **others})


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("shape", [(1, 8, 7, 6), (2, 1, 8, 7, 6), (1, 8, 7, 1)], ids=["crop", "views", "slice"])
def test_shape_and_all_that_is_asked_stay(control, shape):
    item = controlled(control, torch.randn(shape), rotation=3)
    assert item["image"].shape == shape and item["image"].dtype == torch.float32 and item["rotation"] == 3


def test_no_control_leaves_the_image_as_it_is():
    image = torch.randn(1, 5, 5, 5)
    assert torch.equal(controlled("none", image)["image"], image)


def test_noise_is_standard_normal_and_has_nothing_of_the_image():
    noise = controlled("noise", torch.full((1, 20, 20, 20), 9.0))["image"]
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 1) < 0.05
    assert torch.equal(noise, controlled("noise", torch.zeros(1, 20, 20, 20))["image"])


def test_each_view_and_each_image_and_each_call_has_noise_of_its_own():
    transform = Controld(["image", "pet"], "noise").set_random_state(0)
    items = [transform({"image": torch.zeros(2, 1, 6, 6, 6), "pet": torch.zeros(1, 6, 6, 6)}) for _ in range(2)]
    drawn = [tensor for item in items for tensor in (*item["image"], item["pet"])]
    correlation = torch.corrcoef(torch.stack([tensor.flatten() for tensor in drawn]))
    assert (correlation - torch.eye(len(drawn))).abs().max() < 0.35


def test_of_a_constant_image_nothing_can_be_seen():
    assert not controlled("constant", torch.randn(1, 5, 5, 5))["image"].any()


@pytest.mark.parametrize(("shape", "inside"), [((1, 8, 7, 6), (4, 3, 2)), ((1, 8, 7, 1), (4, 3, 1))])
def test_borders_are_two_voxels_wide_and_the_inside_is_zero(shape, inside):
    image = torch.rand(shape) + 1
    hollow = controlled("borders", image)["image"]
    kept = hollow != 0
    assert torch.equal(hollow[kept], image[kept])
    assert kept.logical_not().sum() == torch.tensor(inside).prod()
    assert not kept[0, 2:-2, 2:-2, shape[-1] // 2].any()


def test_the_image_that_was_given_is_not_written_into():
    image = torch.ones(1, 6, 6, 6)
    controlled("borders", image)
    assert image.all()


def test_draws_before_it_are_the_same_whatever_the_control():
    class Drawn(Controld):
        def __call__(self, data):
            return data | {"drawn": self.R.rand()}

    def drawn(control):
        return Compose([Drawn("image"), Controld("image", control)]).set_random_state(5)(
            {"image": torch.ones(1, 5, 5, 5)}
        )

    assert drawn("none")["drawn"] == drawn("noise")["drawn"]


def test_an_unknown_control_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"control is blur: give one of none, noise, constant, borders"):
        Controld("image", "blur")
