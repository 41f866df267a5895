"""Scans with one label each, as users train on them, ask why, and disagree."""

import csv
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import CacheDataset
from nibabel.affines import apply_affine

BUNDLE = Path(__file__).parents[2] / "bundles" / "interactive_mil_classification"
COARSE = {"spacing": "[8.0,8.0,8.0]", "layer": "features.transition1.relu"}
SMALL = {"max_epochs": 1, "batch_size": 2, "folds": 3}

pytestmark = pytest.mark.slow


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(run, bodies, tmp_path_factory):
    """A function: folder of a training of one epoch, with overlays and overrides."""

    def folder(*overlays, **overrides):
        output = tmp_path_factory.mktemp("trained") / "run"
        run(BUNDLE, "train", *overlays, dataset_dir=bodies, output_dir=output, **SMALL | COARSE | overrides)
        return output

    return folder


@pytest.fixture(scope="module")
def weak(trained):
    return trained()


@pytest.fixture(scope="module")
def one_scan(bodies, tmp_path_factory):
    """A list of one scan."""
    path = tmp_path_factory.mktemp("one") / "list.json"
    path.write_text(json.dumps([{"image": str(bodies / "imagesTr" / "phantom_001.nii.gz")}]), encoding="utf-8")
    return path


def asked(run, model, scans, output, *overlays, **overrides):
    settings = COARSE | {"dataset_dir": scans, "output_dir": output, **overrides}
    return run(BUNDLE, "inference", *overlays, model=model / "models" / "model.pt", **settings)


def test_a_training_leaves_weights_with_their_classes_settings_and_subjects(weak):
    assert {path.name for path in (weak / "models").iterdir()} >= {
        "model.pt",
        "labels.json",
        "config.json",
        "split.json",
    }
    assert json.loads((weak / "models" / "labels.json").read_text(encoding="utf-8")) == {
        "no lesion": [1],
        "lesion": [2],
    }
    (row,) = rows(weak / "history.csv")
    assert np.isfinite(float(row["validation_loss"]))


@pytest.mark.parametrize("overlays", [(), ("guided",)])
def test_a_scan_that_is_kept_in_memory_is_not_changed_by_those_of_its_step(overlays):
    config = ConfigParser(
        ConfigParser.load_config_files([BUNDLE / "configs" / f"{n}.json" for n in ("train", *overlays)])
    )
    images = [{key: torch.zeros(1, size, 32, 32) for key in ("image", "seen", "label")} for size in (32, 64)]
    scans = [image | {"class_label": 0.0, "scan": i, "guided": 0.0} for i, image in enumerate(images)]
    kept = CacheDataset(scans, config.get_parsed_content("train#crop_transforms"), progress=False)
    assert config.get_parsed_content("train#collate")([kept[0], kept[1]])["image"].shape == (2, 1, 64, 32, 32)
    assert kept[0]["image"].shape == (1, 32, 32, 32) and type(kept[0]["image"]) is torch.Tensor


def test_contributions_of_a_scan_sum_to_its_score(run, weak, one_scan, bodies, tmp_path):
    said = asked(run, weak, one_scan, tmp_path)
    (row,) = rows(tmp_path / "scores.csv")
    contribution = nibabel.load(tmp_path / "phantom_001_contribution.nii.gz")
    scan = nibabel.load(bodies / "imagesTr" / "phantom_001.nii.gz")
    assert contribution.get_fdata().sum() == pytest.approx(float(row["lesion"]), abs=1e-5)
    assert contribution.shape == scan.shape and np.allclose(contribution.affine, scan.affine, atol=1e-4)
    assert str(tmp_path / "scores.csv") in said and "phantom_001" in (tmp_path / "report.html").read_text("utf-8")


def test_what_is_ignored_contributes_nothing(run, weak, one_scan, bodies, tmp_path):
    scan = nibabel.load(bodies / "imagesTr" / "phantom_001.nii.gz")
    half = np.zeros(scan.shape, np.uint8)
    half[: int(scan.shape[0] * 0.6)] = 1
    nibabel.save(nibabel.Nifti1Image(half, scan.affine), tmp_path / "half.nii.gz")
    middle = apply_affine(scan.affine, np.multiply(scan.shape, (0.7, 0.5, 0.5))).tolist()
    asked(run, weak, one_scan, tmp_path / "out", ignore=tmp_path / "half.nii.gz", attend_points=[middle])
    (row,) = rows(tmp_path / "out" / "scores.csv")
    left = nibabel.load(tmp_path / "out" / "phantom_001_contribution.nii.gz").get_fdata()
    assert row["before lesion"] != row["lesion"] and not left[: scan.shape[0] // 3].any()
    attention = nibabel.load(tmp_path / "out" / "phantom_001_attention.nii.gz").get_fdata()
    assert attention.max() == 1


def test_several_scans_are_not_corrected_at_once(run, weak, bodies, tmp_path):
    settings = COARSE | {"dataset_dir": bodies, "output_dir": tmp_path}
    model = weak / "models" / "model.pt"
    output = run(BUNDLE, "inference", status=1, model=model, attend_points="[[0,0,0]]", **settings)
    assert "error: attend is of one scan, and there are 6" in output and "Traceback" not in output


def test_maps_are_judged_beside_those_of_other_poolings_and_of_chance(run, weak, trained, bodies, tmp_path):
    others = [trained(pooling=pooling) for pooling in ("mean", "attention")]
    asked(run, weak, bodies, tmp_path, "evaluate", baselines=[str(one) for one in others], steps=2)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    suffixes = ["", "_mean_pooling", "_attention_mil"]
    names = [f"auc{suffix}" for suffix in suffixes]
    kinds = ("pointing_game", "heatmap_auc", "deletion", "insertion")
    names += [f"{kind}{suffix}" for kind in kinds for suffix in (*suffixes, "_random_map", "_grad_cam")]
    assert metrics.keys() == {*names, "scans", "positives", "subjects"}
    assert all(0 <= metrics[name] <= 1 for name in names) and metrics["scans"] == 2


def test_parts_of_scans_are_bags_of_their_own(run, trained, bodies, tmp_path):
    small = {"bag_size": "[20,20,12]", "bags_per_volume": 2}
    run_dir = trained("slabs", **small)
    asked(run, run_dir, bodies, tmp_path, "evaluate", "evaluate_slabs", steps=0, **small)
    labels = [row["label"] for row in rows(tmp_path / "heatmaps.csv")]
    assert sorted(set(labels)) == ["0", "1"] and len(labels) == 4


def test_a_training_is_continued_with_masks_that_guide(trained, weak):
    corrected = trained("guided", "correct", model=weak / "models" / "model.pt", seed=7)
    losses = [float(rows(one / "history.csv")[0]["train_loss"]) for one in (weak, corrected)]
    assert losses[1] > losses[0]  # by what the patches are told
    config, *splits = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (corrected / "config.json", weak / "split.json", corrected / "split.json")
    )
    assert all(splits[0][part] == splits[1][part] for part in ("train", "validate", "test"))
    assert (config["guided_share"], config["learning_rate"]) == (1.0, 0.0001)


def test_labels_may_come_from_a_table(trained, bodies, tmp_path):
    table = tmp_path / "table.csv"
    kinds = ["mild", "severe", "moderate"] * 2
    table.write_text("subject,grade\n" + "".join(f"phantom_{i:03},{kind}\n" for i, kind in enumerate(kinds)), "utf-8")
    with pytest.raises(AssertionError, match="a class needs 3 at least"):
        trained("outcomes", outcomes=table, target="grade")


def test_scans_are_told_apart_by_the_classes_of_a_table(run, trained, bodies, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("subject,ill\n" + "".join(f"phantom_{i:03},{'ny'[i % 2]}\n" for i in range(6)), encoding="utf-8")
    output = trained("outcomes", outcomes=table, target="ill")
    assert list(json.loads((output / "models" / "labels.json").read_text(encoding="utf-8"))) == ["n", "y"]
    (row,) = rows(output / "history.csv")
    assert np.isfinite(float(row["train_loss"]))
    settings = {"outcomes": table, "target": "ill", "steps": 0, "lesion_values": "[1]"}
    said = asked(run, output, bodies, tmp_path / "out", "evaluate", "evaluate_outcomes", **settings)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["scans"] == 2 and metrics["auc"] in (0, 0.5, 1) and "have no scan" not in said


@pytest.mark.skipif(torch.cuda.is_available(), reason="processes with a GPU cannot be forked")
@pytest.mark.one_of_all
@pytest.mark.parametrize("bundle", [BUNDLE], ids=lambda path: path.name)
def test_two_processes_train_one_network(run_two, run, bundle, bodies, one_scan, tmp_path):
    settings = SMALL | COARSE | {"batch_size": 1, "dataset_dir": bodies, "output_dir": tmp_path / "run"}
    run_two(bundle, "train", "multi_gpu_train", **settings)
    (row,) = rows(tmp_path / "run" / "history.csv")
    assert np.isfinite([float(row["train_loss"]), float(row["validation_loss"])]).all()
    asked(run, tmp_path / "run", one_scan, tmp_path / "out")


def test_a_u_nets_encoder_of_slices_is_trained_and_asked(run, trained, one_scan, tmp_path):
    overlays = ("axial_slices", "unet_encoder")
    settings = {"spacing": "[8.0,8.0,40.0]", "layer": "model.1.submodule.1.submodule"}
    asked(run, trained(*overlays, **settings), one_scan, tmp_path, *overlays, **settings)
    (row,) = rows(tmp_path / "scores.csv")
    contribution = nibabel.load(tmp_path / "phantom_001_contribution.nii.gz").get_fdata()
    assert contribution.sum() == pytest.approx(float(row["lesion"]), abs=1e-5)
