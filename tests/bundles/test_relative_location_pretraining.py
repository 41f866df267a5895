"""The relative location bundle: which pairs it asks about, and how its head answers."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate

BUNDLE = Path(__file__).parents[2] / "bundles" / "relative_location_pretraining"


def parsed(*overlays, **settings):
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", *overlays)])
    small = {"device": torch.device("cpu"), "patch_size": [6, 6, 6], "head_size": 8}
    parser.update(small | settings)
    return parser


@pytest.fixture
def scan(oblique):
    """A scan as it is before patches are drawn of it."""
    image = MetaTensor(torch.rand(1, 26, 25, 24), affine=oblique(0))
    return {"image": image, "scan": 5, "origin": torch.zeros(3, dtype=torch.float64)}


@pytest.mark.parametrize(
    ("pairs", "answer", "patches", "items", "numbers"),
    [("one", "cell", 4, 2, 26), ("all", "cell", 54, 52, 26), ("all", "mm", 54, 52, 3)],
)
def test_the_head_is_asked_about_the_pairs_and_answers_in_cells_or_mm(scan, pairs, answer, patches, items, numbers):
    parser = parsed(pairs=pairs, answer=answer, crops_per_volume=2)
    loss, batch = parser.get_parsed_content("loss"), list_data_collate(parser.get_parsed_content("train#draw")(scan))
    embedding = torch.randn(patches, 256)
    assert batch["image"].shape == (patches, 1, 6, 6, 6)
    assert loss.head[0].in_features == 2 * 256 and loss.head[-1].out_features == numbers
    assert loss(embedding, batch).isfinite() and loss.eval().correct(embedding, batch).shape == (items,)


def test_of_one_pair_the_centre_comes_first_and_the_other_cell_is_the_answer(scan):
    draw = parsed(crops_per_volume=20, jitter=[0, 0, 0]).get_parsed_content("train#draw")
    batch = list_data_collate(draw(scan))
    centre, other = batch["voxel"].unflatten(0, (20, 2)).unbind(1)
    cell = ((other - centre) / 6 + 1).round().long() @ torch.tensor([9, 3, 1])
    assert (cell - (cell > 13).long()).tolist() == batch["other"][::2].tolist()


def test_slices_have_eight_cells_round_the_centre(scan):
    parser = parsed("axial_slices", patch_size=[6, 6, 1], crops_per_volume=2)
    batch = list_data_collate(parser.get_parsed_content("train#draw")(scan))
    assert batch["image"].shape == (4, 1, 6, 6, 1)
    assert torch.equal(parser.get_parsed_content("loss").chance(batch), torch.full((2,), 1 / 8))


@pytest.mark.parametrize("overlays", [(), ("paper",)], ids=["own", "paper"])
def test_a_step_has_the_papers_32_pairs_and_embeds_their_64_patches(scan, overlays):
    step = parsed(*overlays)
    items = step.get_parsed_content("train#draw")(scan)
    assert step["pairs"] == "one" and step["batch_size"] * len(items) == 64


def test_a_step_of_all_pairs_embeds_about_as_many_patches_with_one_region_a_scan(scan):
    items = parsed(pairs="all", crops_per_volume=1).get_parsed_content("train#draw")(scan)
    assert len(items) == 27 and 4 * len(items) < 2 * 64


def test_the_papers_patches_are_not_normalised():
    paper = parsed("paper")
    assert paper["normalize_cells"] is False
