"""The study goes through its steps once each, and ends with one page."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUNDLES = ROOT / "bundles"
METHODS = ("isimed", "isimed_barlow", "barlow_twins", "simclr")
ARMS = (*METHODS, "untrained", "scratch", "isimed_fine_tuned")


@pytest.fixture
def plan(tmp_path):
    """A function: commands that `make study` would run now, less those that install."""

    def lines(**variables):
        words = [f"{name}={value}" for name, value in ({"STUDY": tmp_path} | variables).items()]
        make = ["make", "--no-print-directory", "-n", "-o", ".venv/ready", "study", *words]
        output = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return [
            line for line in output.replace("\\\n", " ").splitlines() if "monai.bundle" in line or "scripts" in line
        ]

    return lines


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_all_methods_are_pretrained_evaluated_and_cross_validated(plan):
    steps = plan()
    for method in METHODS:
        configs = [step for step in steps if f"/{method}_pretraining/configs/lesion_free.json" in step]
        assert ["evaluate.json" in step for step in configs] == [False, True]
    arms = [step for step in steps if "cross_validate.json" in step]
    assert len(arms) == 7 and ["frozen.json" in step for step in arms] == [True] * 5 + [False] * 2


def test_what_is_done_is_not_done_again(plan, tmp_path):
    for method in METHODS:
        touch(tmp_path / method / "pretrained")
        touch(tmp_path / method / "metrics.json")
    for arm in ARMS[:-2]:
        touch(tmp_path / "folds" / arm / "scores.csv")
    touch(tmp_path / "cohort" / "dataset.json")
    steps = plan()
    assert len(steps) == 3 and "scripts.reports.study" in steps[-1]
    assert "--encoder scratch" in steps[0] and "--name isimed_fine_tuned" in steps[1]


def test_what_was_deleted_is_done_again_though_the_page_is_there(plan, tmp_path):
    for method in METHODS:
        touch(tmp_path / method / "pretrained")
        touch(tmp_path / method / "metrics.json")
    for arm in ARMS:
        touch(tmp_path / "folds" / arm / "scores.csv")
    touch(tmp_path / "cohort" / "dataset.json")
    touch(tmp_path / "study.html")
    assert plan() == []
    (tmp_path / "folds" / "simclr" / "scores.csv").unlink()
    (tmp_path / "barlow_twins" / "pretrained").unlink()
    steps = plan()
    again = ["barlow_twins_pretraining/configs/train.json", "barlow_twins_pretraining/configs/train.json"]
    again += ["--name barlow_twins ", "--name simclr ", "scripts.reports.study"]
    assert len(steps) == 5 and all(any(what in step for step in steps) for what in again)


def test_own_scans_are_studied_with_the_overlay_of_their_data_set(plan):
    steps = plan(DATA="/my/brats", OVERLAY="brats")
    assert not any("make_cohort" in step for step in steps)
    assert all("brats.json" in step and "--dataset_dir /my/brats" in step for step in steps[:-1])


@pytest.mark.slow
def test_one_page_has_the_tables_the_tests_and_the_figures(run, train, cohort, bodies, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("scipy")
    encoder = train(BUNDLES / "isimed_pretraining") / "encoder.pt"
    small = {"dataset_dir": cohort, "encoder": encoder, "spacing": "[4.0,4.0,4.0]", "crops_per_volume": 4}
    report = {"evaluation_crops": 8, "map_stride": 12, "output_dir": tmp_path / "isimed"}
    run(BUNDLES / "isimed_pretraining", "train", "evaluate", **report, **small)
    folds = {"folds": 3, "pretraining_split": "null", "name": "isimed", "label_shares": "[0.5]"}
    overlays, settings = ("train", "cross_validate", "frozen"), small | folds | {"output_dir": tmp_path / "folds"}
    settings["dataset_dir"] = bodies
    run(BUNDLES / "lesion_classification", *overlays, **settings)
    words = ["-m", "scripts.reports.study", tmp_path, "--encoders", tmp_path / "isimed", "--folds", tmp_path / "folds"]
    subprocess.run([sys.executable, "-W", "ignore", *words], cwd=ROOT, check=True, capture_output=True)
    page = (tmp_path / "study.html").read_text()
    for title in ("Is there a lesion", "Means over folds", "Where is this crop"):
        assert title in page
    assert [page.count(f"Figure {number}: ") > 0 for number in range(1, 6)] == [True] * 4 + [False]
