"""Tumours of BraTS and the Decathlon's pancreas, in small folders as they are published."""

import csv
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

BUNDLE = Path(__file__).parents[2] / "bundles" / "organ_segmentation"
SHAPE = (36, 34, 33)
SHORT = {"max_epochs": 1, "folds": 3, "crops_per_volume": 1, "crop_size": [32, 32, 32], "threads": 1}
REGIONS = ("whole tumour", "tumour core", "enhancing tumour")


def nested(*values):
    """A label map of boxes, each within the one before."""
    voxels = np.zeros(SHAPE)
    for margin, value in enumerate(values):
        voxels[8 + margin : 24 - margin, 8 + margin : 24 - margin, 8 + margin : 24 - margin] = value
    return voxels


@pytest.fixture(scope="module")
def brats(write_scan, tmp_path_factory):
    """Three cases of BraTS 2021, of oedema round a necrotic core round what enhances."""
    root = tmp_path_factory.mktemp("BraTS2021_Training_Data")
    for number in range(3):
        case = root / f"BraTS2021_{number:05d}"
        for seed, image in enumerate(("flair", "t1", "t1ce", "t2")):
            write_scan(case / f"{case.name}_{image}.nii.gz", SHAPE, affine=np.eye(4), seed=10 * number + seed)
        write_scan(case / f"{case.name}_seg.nii.gz", voxels=nested(2, 1, 4), affine=np.eye(4))
    return root


@pytest.fixture(scope="module")
def pancreas(write_scan, tmp_path_factory):
    """Three scans of Task07_Pancreas."""
    root = tmp_path_factory.mktemp("Task07_Pancreas")
    names = [f"pancreas_{number:03d}.nii.gz" for number in (1, 4, 5)]
    affine = np.diag([1.5, 1.5, 2.0, 1.0])
    for seed, name in enumerate(names):
        write_scan(root / "imagesTr" / name, SHAPE, affine=affine, seed=seed)
        write_scan(root / "labelsTr" / name, voxels=nested(1, 2), affine=affine)
    training = [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in names]
    labels = {"0": "background", "1": "pancreas", "2": "cancer"}
    listing = {"modality": {"0": "CT"}, "labels": labels, "training": training, "test": []}
    (root / "dataset.json").write_text(json.dumps(listing), encoding="utf-8")
    return root


def parsed(*configs, **settings):
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in configs])
    parser.update({"device": torch.device("cpu"), **settings})
    return parser


def test_brats_gives_a_network_of_four_channels_and_scores_three_regions(brats, tmp_path):
    parser = parsed("train", "brats", dataset_dir=str(brats), output_dir=str(tmp_path), crop_size=[32, 32, 32])
    assert parser.get_parsed_content("classes").names == ("necrotic core", "oedema", "enhancing tumour")
    scored = parser.get_parsed_content("scored")
    assert (scored.names, scored.values) == (REGIONS, ((1, 2, 3), (1, 3), (3,)))
    network = parser.get_parsed_content("network_def").eval()
    assert network(torch.zeros(1, 4, 32, 32, 32)).shape == (1, 4, 32, 32, 32)


def test_channels_of_brats_are_its_images_in_their_order_each_scaled_by_itself(brats, tmp_path):
    parser = parsed("train", "brats", dataset_dir=str(brats), output_dir=str(tmp_path), crop_size=[16, 16, 16])
    scan = parser.get_parsed_content("cohort")[0]
    case, keys = Path(scan["image"]).parent, ("image", "t1ce", "t2", "flair")
    assert [scan[key] for key in keys] == [
        str(case / f"{case.name}_{name}.nii.gz") for name in ("t1", "t1ce", "t2", "flair")
    ]
    item = parser.get_parsed_content("test#preprocessing")(scan)
    assert item["image"].meta["filename_or_obj"] == scan["image"]
    assert torch.equal(item["image"][1:], torch.cat([item[key] for key in keys[1:]]))
    assert item["image"].flatten(1).quantile(0.95, dim=1).tolist() == pytest.approx([1] * 4, abs=1e-3)


def test_one_image_of_brats_is_as_a_pretraining_has_it(brats, tmp_path):
    settings = {"dataset_dir": str(brats), "output_dir": str(tmp_path), "images": ["image"], "image": "flair"}
    parser = parsed("train", "brats", **settings)
    assert parser.get_parsed_content("cohort")[0].keys() == {"image", "label", "subject", "scan"}
    assert parser.get_parsed_content("network_def").state_dict()


@pytest.mark.slow
def test_brats_is_trained_scored_by_region_and_drawn_with_the_challenges_values(run, brats, tmp_path):
    run(BUNDLE, "train", "brats", dataset_dir=brats, output_dir=tmp_path / "run", **SHORT)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    scores = [metrics[f"dice_{name}"] for name in REGIONS]
    assert metrics["dice"] == pytest.approx(sum(scores) / 3) and "dice_oedema" not in metrics
    settings = {
        "dataset_dir": brats,
        "crop_size": SHORT["crop_size"],
        "model": tmp_path / "run" / "models" / "model.pt",
    }
    settings |= {"passes": 1, "training_split": "null", "output_dir": tmp_path / "out"}
    run(BUNDLE, "inference", "brats", "evaluate", "mc_dropout", **settings)
    judged = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert judged.keys() >= {"dice_one_pass", *(f"dice_{name}" for name in REGIONS)}
    with open(tmp_path / "out" / "segmentations.csv", encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    voxels = np.asarray(nibabel.load(tmp_path / "out" / row["mask"]).dataobj)
    assert voxels.shape == SHAPE and set(np.unique(voxels)) <= {0, 1, 2, 4}
    assert float(row["whole tumour_ml"]) == pytest.approx((voxels > 0).sum() / 1000, abs=1e-3)


def test_the_window_of_pancreas_is_that_of_hounsfield_units_and_classes_have_their_names(pancreas, tmp_path):
    parser = parsed("train", "pancreas", dataset_dir=str(pancreas), output_dir=str(tmp_path))
    classes = parser.get_parsed_content("classes")
    assert (classes.names, classes.values) == (("pancreas", "cancer"), ((1,), (2,)))
    units = torch.tensor([[[[-1000.0, -87, 56, 199, 3000]]]])
    assert parser.get_parsed_content("intensity")({"image": units})["image"].flatten().tolist() == [-1, -1, 0, 1, 1]


@pytest.mark.slow
def test_pancreas_is_trained_and_scored_by_class(run, pancreas, tmp_path):
    run(BUNDLE, "train", "pancreas", dataset_dir=pancreas, output_dir=tmp_path / "run", **SHORT)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["dice"] == pytest.approx((metrics["dice_pancreas"] + metrics["dice_cancer"]) / 2)
