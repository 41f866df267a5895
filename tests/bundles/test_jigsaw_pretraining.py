"""The jigsaw bundle: regions of patches, in an order that its head is asked for."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate

BUNDLE = Path(__file__).parents[2] / "bundles" / "jigsaw_pretraining"


def parsed(*overlays, **settings):
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", *overlays)])
    parser.update({"device": torch.device("cpu"), "patch_size": [6, 6, 6], "head_size": 8, **settings})
    return parser


def prepared(size=(30, 30, 30)):
    """A scan as it is before patches are drawn of it."""
    image = MetaTensor(torch.rand(1, *size, generator=torch.Generator().manual_seed(0)) + 3, affine=torch.eye(4))
    return {"image": image, "scan": 5, "origin": torch.zeros(3, dtype=torch.float64)}


def test_each_region_gives_a_patch_of_each_cell_and_its_head_a_number_for_each_order():
    parser = parsed()
    loss, items = parser.get_parsed_content("loss"), parser.get_parsed_content("train#draw")(prepared())
    assert [item["image"].shape for item in items] == 54 * [(1, 6, 6, 6)]
    assert loss.head[0].in_features == 27 * 256 and loss.head[-1].out_features == 100
    assert loss.eval().correct(torch.randn(54, 256), list_data_collate(items)).shape == (2,)


def test_patches_lie_where_their_cells_do_in_the_order_that_is_asked_for():
    parser = parsed(jitter=[0, 0, 0])
    items = parser.get_parsed_content("train#draw")(prepared())
    orders, grid = parser.get_parsed_content("train#question").orders, torch.cartesian_prod(*3 * [torch.arange(3.0)])
    for region in (items[:27], items[27:]):
        place = torch.stack([item["location"] for item in region])
        assert torch.allclose(place - place.amin(0), 6 * grid[orders[region[0]["permutation"]]], atol=1e-4)


def test_each_patch_is_normalised_unless_that_is_turned_off():
    own, kept = (
        parsed(normalize_cells=normalised).get_parsed_content("train#draw")(prepared()) for normalised in (True, False)
    )
    assert all(abs(float(item["image"].mean())) < 1e-4 for item in own)
    assert all(float(item["image"].min()) >= 3 for item in kept)


def test_crops_of_an_evaluation_keep_their_brightness_as_those_of_later_tasks_do():
    crop = prepared((6, 6, 6))
    for transform in parsed().get_parsed_content("train#crop_transforms"):
        crop = transform(crop)
    assert float(crop["image"].min()) >= 3


def test_a_scan_smaller_than_a_region_is_padded():
    assert len(parsed().get_parsed_content("train#draw")(prepared((12, 30, 10)))) == 54


def test_slices_are_puzzles_of_nine_cells():
    parser = parsed("axial_slices", patch_size=[6, 6, 1])
    items = parser.get_parsed_content("train#draw")(prepared())
    assert [item["image"].shape for item in items] == 18 * [(1, 6, 6, 1)]
    assert parser.get_parsed_content("loss").head[0].in_features == 9 * 256


SMALL = {"spacing": [4.0, 4.0, 4.0], "patch_size": [8, 8, 8], "max_epochs": 1, "batch_size": 2, "head_size": 16}
SMALL |= {"val_size": 1, "test_size": 1, "threads": 1, "crops_per_volume": 1}


@pytest.mark.slow
def test_a_run_keeps_its_head_which_an_evaluation_asks(run, history, write_scan, tmp_path):
    for number in range(4):
        write_scan(tmp_path / "scans" / f"P{number}.nii.gz", (36, 30, 24), seed=number)
    settings = SMALL | {"dataset_dir": tmp_path / "scans", "output_dir": tmp_path / "run"}
    run(BUNDLE, "train", **settings)
    (row,) = history(tmp_path / "run")
    assert 0 <= float(row["pretext_accuracy"]) <= 1 and float(row["pretext_chance"]) == pytest.approx(0.01)
    settings |= {"pretext_steps": 2, "pretext_draws": 1, "evaluation_crops": 8, "map_stride": 12}
    assert "Pretext task: " in run(BUNDLE, "train", "evaluate", **settings)
