"""The bundle of multimodal puzzles: cells of several modalities, whose places its head is asked for."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate
from monai.transforms import Compose

BUNDLE = Path(__file__).parents[2] / "bundles" / "multimodal_puzzle_pretraining"


def parsed(*overlays, **settings):
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", *overlays)])
    parser.update({"device": torch.device("cpu"), "patch_size": [6, 6, 6], "head_size": 8, **settings})
    return parser


@pytest.mark.usefixtures("unseen_bodies")
def test_without_scans_those_of_the_cohort_of_a_training_are_found(monkeypatch, tmp_path):
    monkeypatch.setattr("scripts.data.cohort.SUBJECTS", {True: 2, False: 3})

    def cohort(*names):
        parser = ConfigParser()
        parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in names])
        parser.update({"dataset_dir": None, "output_dir": str(tmp_path)})
        return parser.get_parsed_content("cohort")

    files = {path for case in cohort("train") for path in case["modalities"].values()}
    for names in (("train", "evaluate"), ("inference",)):
        assert files == {scan["image"] for scan in cohort(*names)}


LAYOUTS = {
    "2021": ("BraTS2021_{:05d}", "_", ("t1", "t1ce", "t2", "flair", "seg")),
    "since 2023": ("BraTS-GLI-{:05d}-000", "-", ("t1n", "t1c", "t2w", "t2f", "seg")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_brats_gives_all_four_images_of_a_case_in_one_order(layout, write_scan, tmp_path):
    name, between, images = LAYOUTS[layout]
    for number in range(3):
        case = tmp_path / "scans" / name.format(number)
        for seed, image in enumerate(images):
            voxels = np.pad(np.random.default_rng(seed).random((12, 12, 12)) + 1, 4)
            write_scan(f"{case / case.name}{between}{image}.nii.gz", voxels=voxels, affine=np.eye(4))
    parser = parsed("brats", dataset_dir=str(tmp_path / "scans"), output_dir=str(tmp_path / "run"))
    cases = parser.get_parsed_content("cohort")
    assert len({case["subject"] for case in cases}) == len(cases) == 3
    assert [*cases[0]["modalities"]] == ["t1", "t1ce", "t2", "flair"] and "seg" in cases[0]["label"]
    scan = Compose(parser.get_parsed_content("train#deterministic_transforms"))(cases[0])
    assert scan["image"].shape[0] == 4 and scan["image"].pixdim.tolist() == [1, 1, 1] and scan["present"].all()


def prepared(size=(30, 30, 30)):
    """A case of three modalities, the second of which it lacks; the others are of about 10 and 30."""
    image = (
        torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
        + torch.tensor([10, 20, 30])[:, None, None, None]
    )
    present = torch.tensor([True, False, True])
    place = {"scan": 5, "origin": torch.zeros(3, dtype=torch.float64)}
    return {"image": MetaTensor(image, affine=torch.eye(4)), "present": present, **place}


def modalities(items):
    return {round(float(item["image"].mean()), -1) for item in items}


def test_each_region_gives_a_patch_of_each_cell_of_one_of_the_modalities_that_are_there():
    items = parsed().get_parsed_content("train#draw")(prepared())
    assert [item["image"].shape for item in items] == 54 * [(1, 6, 6, 6)]
    assert modalities(items[:27]) == modalities(items[27:]) == {10, 30}
    assert [sorted(item["cell"] for item in region) for region in (items[:27], items[27:])] == 2 * [[*range(27)]]


def test_patches_lie_where_their_cells_do():
    items = parsed(jitter=[0, 0, 0]).get_parsed_content("train#draw")(prepared())
    grid = torch.cartesian_prod(*3 * [torch.arange(3.0)])
    for region in (items[:27], items[27:]):
        place = torch.stack([item["location"] for item in region])
        assert torch.allclose(place - place.amin(0), 6 * grid[[item["cell"] for item in region]], atol=1e-4)


def test_in_the_ablation_all_patches_of_a_region_are_of_one_image():
    draw = parsed("single_modality").get_parsed_content("train#draw")
    regions = [
        modalities(items[first : first + 27]) for items in (draw(prepared()) for _ in range(6)) for first in (0, 27)
    ]
    assert {len(region) for region in regions} == {1} and set.union(*regions) == {10, 30}


def test_a_head_scores_the_places_of_a_region_and_is_told_how_many_are_right():
    parser = parsed()
    loss, items = parser.get_parsed_content("loss"), parser.get_parsed_content("train#draw")(prepared())
    target, embedding = list_data_collate(items), torch.randn(54, 256)
    assert loss.head[0].in_features == 256 and loss.head[-1].out_features == 27
    assert loss.eval()(embedding, target).isfinite() and loss.correct(embedding, target).shape == (2,)
    assert loss.chance(target).tolist() == pytest.approx(2 * [1 / 27])


@pytest.mark.parametrize("changed", [{"control": "noise"}, {"normalize_cells": True}])
def test_patches_are_put_back_as_they_are_whatever_the_network_sees_of_them(changed):
    batch = [
        list_data_collate(one.get_parsed_content("validate#draw")(prepared())) for one in (parsed(), parsed(**changed))
    ]
    assert torch.equal(batch[0]["distances"], batch[1]["distances"]) and not batch[0]["empty"].any()
    assert not torch.equal(batch[0]["image"], batch[1]["image"])


def test_slices_are_puzzles_of_nine_cells():
    parser = parsed("axial_slices", patch_size=[6, 6, 1])
    items = parser.get_parsed_content("train#draw")(prepared())
    assert [item["image"].shape for item in items] == 18 * [(1, 6, 6, 1)]
    assert parser.get_parsed_content("loss").head[-1].out_features == 9


def test_what_is_padded_is_empty():
    draw = parsed(jitter=[0, 0, 0], crops_per_volume=1).get_parsed_content("train#draw")
    empty = [item["cell"] for item in draw(prepared((18, 18, 6))) if item["empty"]]
    assert sorted(cell % 3 for cell in empty) == 9 * [0] + 9 * [2]


SMALL = {"spacing": [4.0, 4.0, 4.0], "patch_size": [8, 8, 8], "max_epochs": 1, "batch_size": 2, "head_size": 16}
SMALL |= {
    "val_size": 1,
    "test_size": 1,
    "threads": 1,
    "crops_per_volume": 1,
    "cells": [2, 2, 2],
    "crop_size": [8, 8, 8],
}


@pytest.mark.slow
def test_a_run_on_cases_keeps_its_head_which_an_evaluation_asks(run, history, write_scan, tmp_path):
    names = ("t1", "t2", "ct_synthetic")
    for number, name in [(number, name) for number in range(5) for name in names if (number, name) != (3, "t2")]:
        write_scan(tmp_path / "cases" / f"P{number}_{name}.nii.gz", (72, 60, 48), seed=100 * number + len(name))
    settings = SMALL | {"dataset_dir": tmp_path / "cases", "output_dir": tmp_path / "run"}
    said = run(BUNDLE, "train", **settings)
    assert "3 synthetic images of training subjects are trained on; 2 of those who validate and test" in said
    (row,) = history(tmp_path / "run")
    assert 0 <= float(row["pretext_accuracy"]) <= 1 and 1 / 8 <= float(row["pretext_chance"]) < 1
    settings |= {"pretext_steps": 2, "pretext_draws": 1, "evaluation_crops": 8, "map_stride": 12}
    assert "Pretext task: " in run(BUNDLE, "train", "evaluate", **settings)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    for ending in ("chance", "accuracy", "accuracy_random_encoder"):
        assert 0 <= metrics[f"permutation_{ending}"] <= 1
    assert metrics["scans"] in (1, 2) and metrics["location_error_mm"] > 0  # each real file is a scan
