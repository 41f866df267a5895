"""A repeatable transform does the same to an item each time, and something else to others."""

import pytest
import torch
from monai.data import CacheDataset, MetaTensor
from monai.transforms import Compose, RandGaussianNoised, RandSpatialCropSamplesd

from scripts.transforms.repeatable import Repeatable


def item(scan=0):
    return {"image": MetaTensor(torch.arange(8000.0).reshape(1, 20, 20, 20)), "scan": scan}


def crops(seed=0, **options):
    return Repeatable(RandSpatialCropSamplesd("image", [5, 6, 7], 8, random_size=False), seed, **options)


def places(made):
    """The value of a crop's first voxel tells where it was cut."""
    return [int(crop["image"][0, 0, 0, 0]) for crop in made]


def test_the_same_item_gives_the_same_each_time():
    crop = crops()
    first = places(crop(item()))
    crop(item(1))
    torch.rand(1)
    assert places(crop(item())) == first == places(crops()(item())) and len(set(first)) > 4


@pytest.mark.parametrize("seed, scan", [(0, 1), (1, 0)])
def test_other_items_and_seeds_give_something_else(seed, scan):
    assert places(crops(seed)(item(scan))) != places(crops()(item()))


def test_items_may_be_told_apart_by_their_voxels():
    noise = Repeatable(RandGaussianNoised("image", prob=1.0), key="image")
    first, again, other = item(0), item(1), item(0)
    other["image"] = other["image"].flip(1)
    added = [noise(one)["image"] - one["image"] for one in (first, again, other)]
    assert torch.equal(added[0], added[1]) and not torch.equal(added[0], added[2])


def test_several_transforms_are_repeated_together():
    both = Compose([RandSpatialCropSamplesd("image", [5, 5, 5], 2), RandGaussianNoised("image", prob=1.0)])
    first, again = (Repeatable(both)(item()) for _ in range(2))
    assert all(torch.equal(a["image"], b["image"]) for a, b in zip(first, again, strict=True))


def test_the_random_state_of_the_transform_itself_stays_as_it_is():
    own = RandGaussianNoised("image", prob=1.0).set_random_state(5)
    expected = RandGaussianNoised("image", prob=1.0).set_random_state(5)(item())["image"]
    Repeatable(own)(item())
    assert torch.equal(own(item())["image"], expected)


def test_it_is_cached_as_what_is_not_random():
    dataset = CacheDataset([item()], Compose([Repeatable(RandGaussianNoised("image", prob=1.0))]), progress=False)
    assert dataset[0]["image"] is not None and not torch.equal(dataset._cache[0]["image"], item()["image"])


def test_several_draws_differ_and_are_the_same_each_time():
    made, again = ([places(crop(item(), number)) for number in range(3)] for crop in (crops(4), crops(4)))
    assert made == again and made[0] == places(crops(4)(item())) and made[2] == places(crops(6)(item()))
    assert made[0] != made[1] != made[2]
