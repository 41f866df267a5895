"""Views of a query, of what is beside it, and of its key."""

import pytest
import torch
from monai.transforms import Compose, RandScaleIntensity

from scripts.transforms.query_key_views import QueryKeyViewsd


@pytest.fixture
def item():
    """A place with two neighbours, all of two channels that are 1."""
    return {
        "image": torch.ones(3, 2, 4, 4, 4),
        "place": torch.tensor([[0.1, 0, 0], [0.2, 0, 0], [0.3, 0, 0]]),
        "scan": 1,
    }


@pytest.fixture
def views():
    return QueryKeyViewsd("image", RandScaleIntensity(prob=1.0, factors=0.5)).set_random_state(0)


def test_query_and_key_have_a_draw_each_and_neighbours_share_one(item, views):
    query, first, second, key = views(item)["image"].mean((1, 2, 3, 4)).tolist()
    assert first == second and len({query, first, key}) == 3


def test_the_key_is_told_the_place_of_the_query(item, views):
    assert views(item)["place"][:, 0].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.1])


def test_each_view_is_of_its_own_crop(item):
    item["image"] = torch.rand(3, 2, 4, 4, 4)
    made = QueryKeyViewsd("image", Compose([]))(item)["image"]
    assert torch.equal(made, item["image"][[0, 1, 2, 0]])


def test_a_place_without_neighbours_has_two_views(item, views):
    alone = {**item, "image": item["image"][:1], "place": item["place"][:1]}
    assert views(alone)["image"].shape == (2, 2, 4, 4, 4) and views(alone)["place"].shape == (2, 3)


def test_the_same_seeds_make_the_same_views_and_the_crops_stay(item, views):
    first, again = views(item)["image"], views(item, randomize=False)["image"]
    assert torch.equal(first, again) and (item["image"] == 1).all()
    assert not torch.equal(first, views(item)["image"])
