"""Organs that are marked in one scan of a synthetic body are found in another scan of it."""

import csv
import dataclasses
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from scripts.data.landmarks import landmark_names, read_landmarks
from scripts.data.phantom_body import ORGANS
from scripts.data.phantom_scan import draw_subject, render

BUNDLE = Path(__file__).parents[2] / "bundles" / "landmark_localization"
HEADER = ("scan", "name", "x", "y", "z", "size_x", "size_y", "size_z")
SOUGHT = ("heart", "liver", "bladder")


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, scan, places, size):
    rows = [[scan, name, *place.tolist(), *size] for name, place in places.items()]
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *rows])


def test_the_example_is_marked_where_its_organs_are():
    (scan,) = read_landmarks(BUNDLE / "models" / "landmarks.csv")
    body = draw_subject(np.random.default_rng([1, 0]), None)
    organs = dict(zip(ORGANS, body.organs, strict=True))
    for mark in scan.landmarks:
        assert np.allclose(mark.point, apply_affine(body.pose, organs[mark.name].centre), atol=0.06)


def test_the_example_has_the_labels_that_a_server_shows():
    metadata = json.loads((BUNDLE / "configs" / "metadata.json").read_text(encoding="utf-8"))
    labels = metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
    names = landmark_names(read_landmarks(BUNDLE / "models" / "landmarks.csv"))
    assert labels == {str(number): name for number, name in enumerate(names, 1)}


@pytest.fixture(scope="module")
def places():
    """Where the organs are, in mm; the last is beyond the field of view of the second scan."""
    body = draw_subject(np.random.default_rng([0, 0]), None)
    return {
        name: apply_affine(body.pose, organ.centre)
        for name, organ in zip(ORGANS, body.organs, strict=True)
        if name in SOUGHT
    }


@pytest.fixture(scope="module")
def found(run, places, tmp_path_factory):
    """Folder of an evaluation in which organs that are marked in a scan are sought in a later one."""
    folder = tmp_path_factory.mktemp("landmarks")
    body = draw_subject(np.random.default_rng([0, 0]), None)
    affine = np.array([[0, -3.0, 0, 120], [2.5, 0, 0, -110], [0, 0, 2.8, -30], [0, 0, 0, 1]])
    later = dataclasses.replace(body, shape=np.array([88, 80, 56]), affine=affine, gain=300.0, noise_seed=7)
    (folder / "scans").mkdir()
    for path, scan in ((folder / "first.nii.gz", body), (folder / "scans" / "later.nii.gz", later)):
        nib.save(nib.Nifti1Image(render(scan)[0], scan.affine), path)
    write(folder / "points.csv", "first.nii.gz", places, [60, 50, 40])
    write(folder / "truth.csv", "later.nii.gz", {name: places[name] for name in SOUGHT[:2]}, [""] * 3)
    settings = {
        "landmarks": folder / "points.csv",
        "truth": folder / "truth.csv",
        "map_stride": 16,
        "lowest_confidence": 0.6,
        "store_dir": folder / "store",
    }
    run(BUNDLE, "inference", "evaluate", dataset_dir=folder / "scans", output_dir=folder / "out", **settings)
    return folder


@pytest.mark.slow
def test_organs_are_found_in_another_field_of_view_or_said_not_to_be_there(found, places):
    heart, liver, bladder = read(found / "out" / "landmarks.csv")
    for row in (heart, liver):
        assert np.linalg.norm([float(row[axis]) for axis in "xyz"] - places[row["name"]]) < 4
        assert 0.5 < float(row["confidence"]) <= 1 and float(row["expected_error_mm"]) > 0
    assert bladder["x"] == bladder["y"] == bladder["z"] == "" and "not in this scan" in bladder["note"]


@pytest.mark.slow
def test_results_are_in_the_grid_of_the_scan(found):
    scan, mask = nib.load(found / "scans" / "later.nii.gz"), nib.load(found / "out" / "later_landmarks.nii.gz")
    assert mask.shape == scan.shape and np.allclose(mask.affine, scan.affine, atol=1e-4)
    for number, row in enumerate(read(found / "out" / "landmarks.csv")[:2], 1):
        place = [float(row[axis]) for axis in "xyz"]
        ball = apply_affine(mask.affine, np.argwhere(np.asarray(mask.dataobj) == number))
        assert np.abs(ball.mean(0) - place).max() < 2
        box = nib.load(found / "out" / f"later_{row['name']}.nii.gz")
        assert np.allclose(apply_affine(box.affine, (np.array(box.shape) - 1) / 2), place, atol=2)
        assert np.allclose(np.abs(box.affine[:3, :3]) @ box.shape, [80, 70, 60], atol=6)


@pytest.mark.slow
def test_an_evaluation_says_how_far_they_are_off_beside_the_box(found):
    metrics, errors = (found / "out" / name for name in ("metrics.json", "landmark_errors.csv"))
    metrics, errors = json.loads(metrics.read_text(encoding="utf-8")), read(errors)
    assert [row["name"] for row in errors] == list(SOUGHT[:2]) and metrics["scans"] == 1
    assert metrics["landmark_error_mm"] == pytest.approx(np.mean([float(row["error_mm"]) for row in errors]))
    assert metrics["landmark_error_mm_box"] > 10


@pytest.mark.slow
def test_a_table_that_is_nowhere_is_named_before_anything_is_embedded(run, bodies, tmp_path):
    nowhere = tmp_path / "points.csv"
    said = run(BUNDLE, "inference", dataset_dir=bodies, output_dir=tmp_path / "out", landmarks=nowhere, status=1)
    assert f"{nowhere}" in said and "Traceback" not in said and "Embedding" not in said
