"""How far landmarks are off is told with the core packages alone; what a confidence says of it, with scikit-learn."""

import csv
import json
import logging
import sys

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.transforms import LoadImaged
from nibabel.affines import apply_affine

from scripts.data.landmarks import Landmark, MarkedScan
from scripts.errors import InputError
from scripts.handlers.save_landmark_errors import SaveLandmarkErrors

PREPROCESSING = LoadImaged("image", ensure_channel_first=True)
SPACING = np.array((1.5, 2.5, 3.5))


@pytest.fixture
def evaluate(write_scan, oblique, tmp_path):
    """A function: folder of an evaluation of scans in which a landmark is found so many voxels beside its place."""

    def run(*off):
        paths = [str(write_scan(tmp_path / f"{seed}.nii.gz", seed=seed)) for seed in range(len(off) + 1)]
        points = [tuple(apply_affine(oblique(seed), (9, 8, 7))) for seed in range(len(paths))]
        marked, *truth = [
            MarkedScan(path, (Landmark("tip", point),)) for path, point in zip(paths, points, strict=True)
        ]

        def step(engine, scan):
            path, beside = scan
            engine.state.batch = [PREPROCESSING({"image": path})]
            return [{"landmarks": torch.tensor([[9.0 + beside, 8, 7, 1 - beside / 100]])}]

        engine = Engine(step)
        SaveLandmarkErrors(str(tmp_path / "out"), [marked], truth, PREPROCESSING).attach(engine)
        engine.run([(paths[0], 90.0), *zip(paths[1:], off, strict=True)])
        return tmp_path / "out"

    return run


def test_errors_are_in_mm_of_scans_in_which_nothing_is_marked(evaluate):
    folder = evaluate(2.0, 4.0)
    with open(folder / "landmark_errors.csv", encoding="utf-8", newline="") as file:
        errors = [float(row["error_mm"]) for row in csv.DictReader(file)]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert errors == pytest.approx([2 * SPACING[0], 4 * SPACING[0]], abs=1e-3)
    assert metrics["landmark_error_mm"] == pytest.approx(3 * SPACING[0], abs=1e-3) and metrics["scans"] == 2
    assert metrics["landmark_error_mm_box"] == pytest.approx(0, abs=1e-3)


def scans_with(name, *paths):
    return [MarkedScan(path, (Landmark(name, (0.0, 0.0, 0.0)),)) for path in paths]


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [
        (scans_with("tip", "a.nii"), "All scans of truth are marked in landmarks"),
        (scans_with("tip", "a.nii", "elsewhere.nii"), "None of the scans of truth is in dataset_dir: give dataset_dir"),
        (scans_with("sella", "b.nii") + scans_with("tip", "elsewhere.nii"), "truth has none of tip, which landmarks"),
    ],
)
def test_a_truth_of_nothing_that_is_sought_is_refused_at_once(tmp_path, truth, sentence):
    sought = [{"image": "a.nii"}, {"image": "b.nii"}]
    with pytest.raises(InputError, match=sentence):
        SaveLandmarkErrors(str(tmp_path), scans_with("tip", "a.nii"), truth, PREPROCESSING, sought)


def test_of_many_landmarks_a_calibration_is_kept(evaluate):
    table = np.genfromtxt(evaluate(*np.linspace(0, 6, 20)) / "calibration.csv", delimiter=",", skip_header=1)
    assert table.shape == (2, 2) and (np.diff(table[:, 0]) > 0).all() and (np.diff(table[:, 1]) < 0).all()


def test_without_scikit_learn_the_log_says_that_there_is_no_calibration(evaluate, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with caplog.at_level(logging.INFO):
        folder = evaluate(*np.linspace(0, 6, 20))
    assert "calibration.csv, which needs scikit-learn: pip install scikit-learn" in caplog.text
    assert {path.name for path in folder.iterdir()} == {"landmark_errors.csv", "metrics.json"}
