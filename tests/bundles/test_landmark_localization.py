"""Organs that are marked in one synthetic body are found in another."""

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from scripts.data.landmarks import read_landmarks
from scripts.data.phantom import ORGANS, draw_subject

BUNDLE = Path(__file__).parents[2] / "bundles" / "landmark_localization"
SOUGHT = ("heart", "bladder")


def organs(seed, number, lesions=None):
    """Where the organs of a body of a synthetic cohort are, in mm, by name."""
    body = draw_subject(np.random.default_rng([seed, number]), lesions)
    return {name: apply_affine(body.pose, organ.centre) for name, organ in zip(ORGANS, body.organs, strict=True)}


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_example_is_marked_where_its_organs_are():
    (scan,) = read_landmarks(BUNDLE / "models" / "landmarks.csv")
    for mark in scan.landmarks:
        assert np.allclose(mark.point, organs(1, 0)[mark.name], atol=0.06)


@pytest.fixture(scope="module")
def found(run, bodies, tmp_path_factory):
    """Folder of an evaluation in which two organs of one body are sought in another."""
    folder = tmp_path_factory.mktemp("landmarks")
    for number, table in ((0, "points.csv"), (2, "truth.csv")):
        scan = sorted(bodies.glob("imagesTr/*.nii.gz"))[number]
        size = ["", "", ""] if number else [60, 60, 60]
        rows = [[scan, name, *place.tolist(), *size] for name, place in organs(0, number).items() if name in SOUGHT]
        with open(folder / table, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["scan", "name", "x", "y", "z", "size_x", "size_y", "size_z"], *rows])
    (folder / "scans").mkdir()
    (folder / "scans" / scan.name).symlink_to(scan)
    settings = {"landmarks": folder / "points.csv", "truth": folder / "truth.csv", "map_stride": 16}
    run(BUNDLE, "inference", "evaluate", dataset_dir=folder / "scans", output_dir=folder / "out", **settings)
    return folder


@pytest.mark.slow
def test_organs_of_one_body_are_found_in_another(found):
    table = read(found / "out" / "landmarks.csv")
    assert [row["name"] for row in table] == [name for name in ORGANS if name in SOUGHT]
    for row in table:
        place = [float(row[axis]) for axis in "xyz"]
        assert np.linalg.norm(place - organs(0, 2)[row["name"]]) < 15
        assert 0 < float(row["confidence"]) <= 1 and float(row["expected_error_mm"]) > 0


@pytest.mark.slow
def test_results_are_in_the_grid_of_the_scan(found):
    (scan,) = map(nib.load, (found / "scans").iterdir())
    (path,) = (found / "out").glob("*_landmarks.nii.gz")
    mask = nib.load(path)
    assert mask.shape == scan.shape and np.allclose(mask.affine, scan.affine, atol=1e-4)
    for number, row in enumerate(read(found / "out" / "landmarks.csv"), 1):
        ball = apply_affine(mask.affine, np.argwhere(np.asarray(mask.dataobj) == number))
        assert np.abs(ball.mean(0) - [float(row[axis]) for axis in "xyz"]).max() < 2
        (box,) = (found / "out").glob(f"*_{row['name']}.nii.gz")
        assert np.allclose(np.array(nib.load(box).shape) * np.array(nib.load(box).header.get_zooms()), 80, atol=35)


@pytest.mark.slow
def test_an_evaluation_says_how_far_they_are_off_beside_the_box(found):
    metrics = json.loads((found / "out" / "metrics.json").read_text(encoding="utf-8"))
    errors = read(found / "out" / "landmark_errors.csv")
    assert metrics["landmark_error_mm"] == pytest.approx(np.mean([float(row["error_mm"]) for row in errors]))
    assert metrics["scans"] == 1 and metrics["landmark_error_mm_box"] > 0


@pytest.mark.slow
def test_a_missing_table_is_named_before_anything_is_embedded(run, bodies, tmp_path):
    said = run(BUNDLE, "inference", dataset_dir=bodies, output_dir=tmp_path, landmarks=tmp_path / "no.csv", status=1)
    assert "no.csv" in said and "Traceback" not in said
