"""The views that the bundles declare: those of the paper, and those of anatomy."""

import json
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose

from scripts.transforms.views import Viewsd

CONFIGS = Path(__file__).parents[2] / "bundles" / "simclr_pretraining" / "configs"
SIZE = 20


def declared(*configs):
    """The view that a bundle declares, for crops of 20³."""
    parser = ConfigParser()
    parser.read_config([str(CONFIGS / f"{config}.json") for config in configs])
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


def test_the_declared_views_are_those_of_the_papers_code():
    """Numbers for crops of 32³ voxels: meddist/data/loading.py of the authors."""
    dropout, shuffle = (
        ConfigParser(json.loads((CONFIGS / "train.json").read_text(encoding="utf-8")))
        .get_parsed_content("view")
        .transforms
    )
    assert [(part.holes, part.dropout_holes, part.prob) for part in dropout.transforms] == [(6, True, 1), (6, False, 1)]
    assert [part.spatial_size for part in dropout.transforms] == [[3, 3, 3], [3, 3, 3]]
    assert [part.max_spatial_size for part in dropout.transforms] == [[10, 10, 10], [21, 21, 21]]
    assert (shuffle.holes, shuffle.spatial_size, shuffle.prob) == (2, 6, 0.8)


def test_dropout_is_inside_of_boxes_or_outside_of_them(crop):
    dropout = declared("train").transforms[0]
    kept = [float(1 - changed(two(dropout)(crop)["image"][0], crop).float().mean()) for _ in range(40)]
    inside, outside = (sum(test(share) for share in kept) for test in (lambda x: x > 0.7, lambda x: x < 0.7))
    assert min(inside, outside) > 8


def test_dropped_voxels_are_noise_within_the_range_of_the_crop(crop):
    crop["image"] = crop["image"] * 3 + 7
    view = two(declared("train").transforms[0].transforms[0])(crop)["image"][0]
    noise = view[changed(view, crop)]
    assert noise.min() >= 7 and noise.max() <= 10 and noise.std() > 0.5


def test_shuffled_boxes_keep_their_voxels(crop):
    shuffle = declared("train").transforms[1]
    shuffle.prob = 1.0
    view = two(shuffle)(crop)["image"][0]
    assert 0 < int(changed(view, crop).sum()) <= 2 * 6**3
    assert torch.equal(view.flatten().sort().values, crop["image"].flatten().sort().values)


@pytest.fixture
def anatomical():
    return declared("train", "anatomical_views")


def test_anatomical_views_are_crops_of_a_larger_region(anatomical):
    region = torch.rand(1, SIZE + 8, SIZE + 8, SIZE + 8)
    assert two(anatomical)({"image": region})["image"].shape == (2, 1, SIZE, SIZE, SIZE)


def test_anatomical_views_overlap_in_part_and_show_one_place(anatomical):
    places = torch.stack(torch.meshgrid(*[torch.arange(28.0)] * 3, indexing="ij"))
    geometry = Compose(anatomical.transforms[:2])
    first, second = two(geometry).set_random_state(0)({"image": places})["image"]
    apart = (first.mean((1, 2, 3)) - second.mean((1, 2, 3))).abs()
    assert 0 < apart.max() < SIZE / 2


def test_anatomical_views_look_like_the_crop_on_average(anatomical):
    likeness = []
    for _ in range(10):
        smooth = torch.nn.functional.interpolate(torch.rand(1, 1, 2, 2, 2), size=(28, 28, 28), mode="trilinear")[0]
        region = smooth[:, 4:-4, 4:-4, 4:-4].flatten()
        views = two(anatomical)({"image": smooth})["image"]
        likeness += [torch.corrcoef(torch.stack([view.flatten(), region]))[0, 1] for view in views]
    assert torch.stack(likeness).mean() > 0.7
