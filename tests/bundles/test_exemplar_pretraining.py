"""The exemplar bundle: what is made of a crop, and that it is compared with that crop and with those of other scans."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate

BUNDLE = Path(__file__).parents[2] / "bundles" / "exemplar_pretraining"


def parsed(*overlays, **settings):
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", *overlays)])
    small = {"device": torch.device("cpu"), "region_size": [16, 16, 16], "embedding_size": 6, "projection_size": 5}
    parser.update(small | settings)
    return parser


def prepared(number=0, scans=1):
    """A scan as it is before crops are drawn of it, where each subject has so many."""
    image = MetaTensor(torch.rand(1, 20, 20, 20, generator=torch.Generator().manual_seed(number)), affine=torch.eye(4))
    place = {"scan": number, "origin": torch.zeros(3, dtype=torch.float64)}
    return {"image": image, "subject": f"S{number // scans}", **place}


@pytest.mark.parametrize("size", [[16, 16, 16], [10, 12, 16]], ids=["cube", "no cube"])
def test_the_second_view_of_a_crop_is_itself_and_the_first_has_its_shape(size):
    parser = parsed(region_size=size)
    views = parser.get_parsed_content("train#views")
    crop = torch.rand(1, *size)
    made = [views({"image": crop})["image"] for _ in range(20)]
    assert all(one.shape == (2, 1, *size) and torch.equal(one[1], crop) for one in made)
    assert sum(torch.equal(one[0], crop) for one in made) < 3


def test_noise_as_a_control_is_another_in_each_view():
    items = parsed(control="noise").get_parsed_content("train#draw")(prepared())
    first, second = items[0]["image"]
    assert first.shape == second.shape and not torch.isclose(first, second).any()


def test_a_turn_in_a_plane_happens_as_often_as_in_the_papers_code():
    """Half of the time, by none of four quarters in an eighth of all: preprocess_exemplar.py of the authors."""
    turn, crop = parsed().get_parsed_content("axial_turn").set_random_state(0), torch.rand(1, 6, 6, 1)
    quarters = [torch.rot90(crop, k, (1, 2)) for k in range(4)]
    seen = [[bool(torch.equal(made, one)) for one in quarters] for made in (turn(crop) for _ in range(800))]
    none, *turned = torch.tensor(seen).float().mean(0).tolist()
    assert none == pytest.approx(0.5 + 0.5 / 8, abs=0.06)
    assert turned == pytest.approx(3 * [1 / 16], abs=0.03)


def test_brightness_and_contrast_change_together_within_the_papers_bounds():
    parser = parsed(turns="$monai.transforms.Compose([])", zoom="$monai.transforms.Compose([])")
    view, crop = parser.get_parsed_content("view").set_random_state(0), torch.rand(1, 16, 16, 16)
    made = [view(crop) for _ in range(200)]
    shift = torch.stack([one.mean() - crop.mean() for one in made])
    contrast = torch.stack([one.std() / crop.std() for one in made])
    changed = shift.abs() > 1e-5
    assert 0.35 < changed.float().mean() < 0.65 and torch.allclose(contrast[~changed], torch.tensor(1.0))
    assert 0.2 < shift.abs().max() <= 0.25 and 0.5 <= contrast.min() < 0.6 and 1.4 < contrast.max() <= 1.5


def test_a_slice_is_turned_and_zoomed_within_its_plane_alone():
    parser = parsed("axial_slices", region_size=[16, 16, 1])
    zoom = parser.get_parsed_content("zoom")
    zoom.prob = 1.0
    view = parser.get_parsed_content("train#views")
    made = [view({"image": torch.randn(1, 16, 16, 1)})["image"] for _ in range(10)]
    assert all(one.shape == (2, 1, 16, 16, 1) for one in made)
    assert len(parser.get_parsed_content("turns").transforms) == 1
    assert all(one[0].std(dim=(1, 2)).min() > 0.1 for one in made)  # a slice that was tilted is constant along an axis


class Means(torch.nn.Module):
    """Embeds crops by the mean of each of six parts."""

    def forward(self, crops):
        return torch.nn.functional.adaptive_avg_pool3d(crops, (6, 1, 1)).flatten(1)


def test_crops_that_were_not_changed_are_all_found_again_in_a_step():
    parser = parsed(view="@unchanged")
    draw, prepare, loss = map(parser.get_parsed_content, ("train#draw", "train#prepare_batch", "loss"))
    batch = list_data_collate([draw(prepared(number)) for number in range(3)])
    images, target, _, _ = prepare(batch)
    assert images.shape == (2 * 3 * 2, 1, 16, 16, 16)
    assert loss.correct(Means()(images), target).tolist() == 6 * [True]
    assert loss.chance(target).tolist() == pytest.approx(6 * [1 / 5])


def test_other_scans_of_a_subject_are_not_what_a_crop_is_told_from():
    parser = parsed()
    draw, prepare, loss = map(parser.get_parsed_content, ("train#draw", "train#prepare_batch", "loss"))
    batch = list_data_collate([draw(prepared(number, scans=2)) for number in range(4)])
    assert loss.chance(prepare(batch)[1]).tolist() == pytest.approx(8 * [1 / 5])


def test_the_head_is_trained_and_kept():
    parser = parsed()
    loss, optimizer = parser.get_parsed_content("loss"), parser.get_parsed_content("optimizer")
    assert {id(one) for one in loss.parameters()} < {id(one) for one in optimizer.param_groups[0]["params"]}
    assert {name: tuple(one.shape) for name, one in loss.state_dict().items()} == {
        "head.weight": (5, 6),
        "head.bias": (5,),
    }
