"""Views of a crop: drawn apart from applied, independent, and made again at will."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import CacheDataset, DataLoader, MetaTensor
from monai.data.utils import set_rnd
from monai.transforms import Compose, RandCoarseDropout, RandGaussianNoise

from scripts.transforms.repeatable import Repeatable
from scripts.transforms.views import Viewsd

CONFIG = Path(__file__).parents[2] / "bundles" / "simclr_pretraining" / "configs" / "train.json"
SIZE = 20


@pytest.fixture
def paper():
    """The view that a bundle declares, for crops of 20³."""
    parser = ConfigParser()
    parser.read_config(str(CONFIG))
    parser.update({"crop_size": [SIZE] * 3})
    return parser.get_parsed_content("view")


@pytest.fixture
def crop():
    """A crop whose voxels are all different, from 0 to 1."""
    return {"image": torch.randperm(SIZE**3).reshape(1, SIZE, SIZE, SIZE) / SIZE**3, "location": torch.zeros(3)}


def two(view):
    return Viewsd("image", [view, view])


def changed(view, crop):
    return view != crop["image"]


def test_two_views_take_the_place_of_the_crop(paper, crop):
    made = two(paper)(crop)
    assert made.keys() == {"image", "location"}
    assert made["image"].shape == (2, 1, SIZE, SIZE, SIZE) and type(made["image"]) is torch.Tensor


def test_there_may_be_any_number_of_views_each_made_in_its_own_way(paper, crop):
    views = Viewsd("image", [Compose([]), lambda image: image + 1, paper])(crop)["image"]
    assert torch.equal(views[0], crop["image"]) and torch.equal(views[1], crop["image"] + 1)
    assert len(views) == 3 and changed(views[2], crop).any()


def test_images_of_one_crop_are_changed_alike(paper, crop):
    made = Viewsd(["image", "pet"], [paper, paper])(crop | {"pet": crop["image"].clone()})
    assert torch.equal(made["image"], made["pet"])


@pytest.mark.parametrize("view", [Compose([]), lambda image: image])
def test_a_view_that_changes_nothing_is_the_crop(crop, view):
    views = two(view)(crop)["image"]
    assert torch.equal(views, torch.stack([crop["image"]] * 2))


def test_the_two_views_are_drawn_apart(paper, crop):
    first, second = two(paper).set_random_state(0)(crop)["image"]
    assert not torch.equal(changed(first, crop), changed(second, crop))


def test_each_call_draws_anew(paper, crop):
    transform = two(paper).set_random_state(0)
    assert not torch.equal(transform(crop)["image"], transform(crop)["image"])


def test_views_are_made_again_from_their_seeds(paper, crop):
    transform = two(paper).set_random_state(0)
    views, seeds = transform(crop)["image"], transform.seeds
    transform(crop)
    transform.seeds = seeds
    assert torch.equal(transform(crop, randomize=False)["image"], views)


def test_the_random_state_decides_on_the_views(paper, crop):
    first, again, other = (two(paper).set_random_state(seed)(crop)["image"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_the_crop_stays_as_it_is_though_monais_coarse_dropout_writes_into_its_input(paper, crop):
    image, before = crop["image"].clone(), crop["image"].clone()
    RandCoarseDropout(6, 3, prob=1.0)(image)
    assert not torch.equal(image, before)
    two(paper)(crop)
    assert torch.equal(crop["image"], before)


def test_the_second_view_has_nothing_of_the_first(crop):
    fill = RandCoarseDropout(1, 5, fill_value=-1.0, prob=1.0)
    for _ in range(5):
        for view in two(fill)(crop)["image"]:
            assert int((view == -1).sum()) == 5**3


def test_repeatable_views_are_two_different_ones_and_the_same_each_time(paper, crop):
    transform = Repeatable(two(paper), seed=3, key="image")
    first, second = transform(crop)["image"]
    assert not torch.equal(first, second)
    assert torch.equal(transform(crop)["image"], torch.stack([first, second]))


def test_an_epoch_that_is_seeded_again_has_the_same_views(paper, crop):
    dataset = CacheDataset([crop] * 2, Compose([two(paper)]), progress=False)
    first, again, other = ([set_rnd(dataset, seed), dataset[0]["image"]][1] for seed in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_workers_and_epochs_draw_different_views(paper, crop):
    loader = DataLoader(CacheDataset([crop] * 4, two(paper), progress=False), batch_size=1, num_workers=2)
    views = [batch["image"] for _ in range(2) for batch in loader]
    assert len({view.sum().item() for view in views}) == 8


def test_metadata_do_not_travel_with_the_views(crop):
    image = MetaTensor(crop["image"])
    assert type(two(RandGaussianNoise(prob=1.0))({"image": image})["image"]) is torch.Tensor
