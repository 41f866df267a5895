"""Two views of a crop: drawn apart from applied, independent, and made again at will."""

import json
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import CacheDataset, DataLoader, MetaTensor
from monai.data.utils import set_rnd
from monai.transforms import Compose, RandCoarseDropout, RandGaussianNoise

from scripts.engines.batches import gather_views, prepare_views
from scripts.errors import InputError
from scripts.transforms.views import FixedViewsd, TwoViewsd

CONFIGS = Path(__file__).parents[2] / "bundles" / "simclr_pretraining" / "configs"
SIZE = 20


def declared(*configs):
    """The view that a bundle declares, for crops of 20³."""
    parser = ConfigParser()
    parser.read_config([str(CONFIGS / f"{config}.json") for config in configs])
    parser.update({"crop_size": [SIZE] * 3})
    return parser.get_parsed_content("view")


@pytest.fixture
def paper():
    return declared("train")


@pytest.fixture
def crop():
    """A crop whose voxels are all different, from 0 to 1."""
    return {"image": torch.randperm(SIZE**3).reshape(1, SIZE, SIZE, SIZE) / SIZE**3, "location": torch.zeros(3)}


def changed(view, crop):
    return view != crop["image"]


def test_two_views_take_the_place_of_the_crop(paper, crop):
    made = TwoViewsd(paper)(crop)
    assert made.keys() == {"views", "location"}
    assert made["views"].shape == (2, 1, SIZE, SIZE, SIZE) and type(made["views"]) is torch.Tensor


def test_no_key_begins_like_those_that_resampling_takes_for_metadata(paper, crop):
    assert not [key for key in TwoViewsd(paper)(crop) if key.startswith("image_")]


@pytest.mark.parametrize("view", [Compose([]), lambda image: image])
def test_a_view_that_changes_nothing_is_the_crop(crop, view):
    views = TwoViewsd(view)(crop)["views"]
    assert torch.equal(views, torch.stack([crop["image"]] * 2))


def test_the_two_views_are_drawn_apart(paper, crop):
    first, second = TwoViewsd(paper).set_random_state(0)(crop)["views"]
    assert not torch.equal(changed(first, crop), changed(second, crop))


def test_each_call_draws_anew(paper, crop):
    transform = TwoViewsd(paper).set_random_state(0)
    assert not torch.equal(transform(crop)["views"], transform(crop)["views"])


def test_views_are_made_again_from_their_seeds(paper, crop):
    transform = TwoViewsd(paper).set_random_state(0)
    views, seeds = transform(crop)["views"], transform.seeds
    transform(crop)
    transform.seeds = seeds
    assert torch.equal(transform(crop, randomize=False)["views"], views)


def test_the_random_state_decides_on_the_views(paper, crop):
    first, again, other = (TwoViewsd(paper).set_random_state(seed)(crop)["views"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_the_crop_stays_as_it_is_though_monais_coarse_dropout_writes_into_its_input(paper, crop):
    image, before = crop["image"].clone(), crop["image"].clone()
    RandCoarseDropout(6, 3, prob=1.0)(image)
    assert not torch.equal(image, before)
    TwoViewsd(paper)(crop)
    assert torch.equal(crop["image"], before)


def test_the_second_view_has_nothing_of_the_first(crop):
    fill = RandCoarseDropout(1, 5, fill_value=-1.0, prob=1.0)
    for _ in range(5):
        for view in TwoViewsd(fill)(crop)["views"]:
            assert int((view == -1).sum()) == 5**3


def test_fixed_views_are_the_same_each_time(paper, crop):
    transform = FixedViewsd(paper, seed=3)
    assert torch.equal(transform(crop)["views"], transform(crop)["views"])


def test_fixed_views_of_other_crops_and_seeds_are_others(paper, crop):
    other = crop | {"image": crop["image"].flip(1)}
    first = changed(FixedViewsd(paper)(crop)["views"][0], crop)
    assert not torch.equal(first, changed(FixedViewsd(paper)(other)["views"][0], other))
    assert not torch.equal(first, changed(FixedViewsd(paper, seed=1)(crop)["views"][0], crop))


def test_fixed_views_are_two_different_ones(paper, crop):
    first, second = FixedViewsd(paper)(crop)["views"]
    assert not torch.equal(first, second)


def test_an_epoch_that_is_seeded_again_has_the_same_views(paper, crop):
    dataset = CacheDataset([crop] * 2, Compose([TwoViewsd(paper)]), progress=False)
    first, again, other = ([set_rnd(dataset, seed), dataset[0]["views"]][1] for seed in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_workers_and_epochs_draw_different_views(paper, crop):
    loader = DataLoader(CacheDataset([crop] * 4, TwoViewsd(paper), progress=False), batch_size=1, num_workers=2)
    views = [batch["views"] for _ in range(2) for batch in loader]
    assert len({view.sum().item() for view in views}) == 8


def test_a_batch_of_views_has_the_first_of_all_crops_before_the_second_of_all():
    views = torch.arange(6.0).reshape(3, 2, 1, 1, 1, 1)
    batch = {"views": views, "location": torch.randn(3, 3), "scan": [4, 5, 6]}
    image, target = prepare_views(batch, torch.device("cpu"))
    assert image.flatten().tolist() == [0, 2, 4, 1, 3, 5]
    assert target["scan"].tolist() == [4, 5, 6] and torch.equal(target["location"], batch["location"])


def test_embeddings_of_views_are_told_apart():
    first, second = gather_views(torch.arange(6)[:, None])
    assert first.flatten().tolist() == [0, 1, 2] and second.flatten().tolist() == [3, 4, 5]


def test_a_single_crop_cannot_be_compared_with_others():
    with pytest.raises(InputError, match=r"a single crop.*raise batch_size or crops_per_volume"):
        gather_views(torch.randn(2, 4))


def test_the_declared_views_are_those_of_the_papers_code():
    """Numbers for crops of 32³ voxels: meddist/data/loading.py of the authors."""
    dropout, shuffle = (
        ConfigParser(json.loads((CONFIGS / "train.json").read_text())).get_parsed_content("view").transforms
    )
    assert [(part.holes, part.dropout_holes, part.prob) for part in dropout.transforms] == [(6, True, 1), (6, False, 1)]
    assert [part.spatial_size for part in dropout.transforms] == [[3, 3, 3], [3, 3, 3]]
    assert [part.max_spatial_size for part in dropout.transforms] == [[10, 10, 10], [21, 21, 21]]
    assert (shuffle.holes, shuffle.spatial_size, shuffle.prob) == (2, 6, 0.8)


def test_dropout_is_inside_of_boxes_or_outside_of_them(crop):
    dropout = declared("train").transforms[0]
    kept = [float(1 - changed(TwoViewsd(dropout)(crop)["views"][0], crop).float().mean()) for _ in range(40)]
    inside, outside = (sum(test(share) for share in kept) for test in (lambda x: x > 0.7, lambda x: x < 0.7))
    assert min(inside, outside) > 8


def test_dropped_voxels_are_noise_within_the_range_of_the_crop(crop):
    crop["image"] = crop["image"] * 3 + 7
    view = TwoViewsd(declared("train").transforms[0].transforms[0])(crop)["views"][0]
    noise = view[changed(view, crop)]
    assert noise.min() >= 7 and noise.max() <= 10 and noise.std() > 0.5


def test_shuffled_boxes_keep_their_voxels(crop):
    shuffle = declared("train").transforms[1]
    shuffle.prob = 1.0
    view = TwoViewsd(shuffle)(crop)["views"][0]
    assert 0 < int(changed(view, crop).sum()) <= 2 * 6**3
    assert torch.equal(view.flatten().sort().values, crop["image"].flatten().sort().values)


@pytest.fixture
def anatomical():
    return declared("train", "anatomical_views")


def test_anatomical_views_are_crops_of_a_larger_region(anatomical):
    region = torch.rand(1, SIZE + 8, SIZE + 8, SIZE + 8)
    assert TwoViewsd(anatomical)({"image": region})["views"].shape == (2, 1, SIZE, SIZE, SIZE)


def test_anatomical_views_overlap_in_part_and_show_one_place(anatomical):
    places = torch.stack(torch.meshgrid(*[torch.arange(28.0)] * 3, indexing="ij"))
    geometry = Compose(anatomical.transforms[:2])
    first, second = TwoViewsd(geometry).set_random_state(0)({"image": places})["views"]
    apart = (first.mean((1, 2, 3)) - second.mean((1, 2, 3))).abs()
    assert 0 < apart.max() < SIZE / 2


def test_anatomical_views_look_like_the_crop_on_average(anatomical):
    likeness = []
    for _ in range(10):
        smooth = torch.nn.functional.interpolate(torch.rand(1, 1, 2, 2, 2), size=(28, 28, 28), mode="trilinear")[0]
        region = smooth[:, 4:-4, 4:-4, 4:-4].flatten()
        views = TwoViewsd(anatomical)({"image": smooth})["views"]
        likeness += [torch.corrcoef(torch.stack([view.flatten(), region]))[0, 1] for view in views]
    assert torch.stack(likeness).mean() > 0.7


def test_metadata_do_not_travel_with_the_views(crop):
    image = MetaTensor(crop["image"])
    assert type(TwoViewsd(RandGaussianNoise(prob=1.0))({"image": image})["views"]) is torch.Tensor
