"""A study ends with one page."""

from pathlib import Path

import pytest

BUNDLES = Path(__file__).parents[2] / "bundles"


@pytest.mark.slow
def test_one_page_has_the_tables_the_tests_and_the_figures(run, train, run_module, cohort, bodies, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("scipy")
    encoder = train(BUNDLES / "isimed_pretraining") / "encoder.pt"
    small = {"dataset_dir": cohort, "encoder": encoder, "spacing": "[4.0,4.0,4.0]", "crops_per_volume": 4}
    report = {"evaluation_crops": 8, "map_stride": 12, "output_dir": tmp_path / "isimed"}
    run(BUNDLES / "isimed_pretraining", "train", "evaluate", **report, **small)
    folds = {"folds": 3, "pretraining_split": "null", "name": "isimed", "label_shares": "[0.5]", "layers": "early"}
    overlays, settings = ("linear_probe", "cross_validate"), small | folds | {"output_dir": tmp_path / "folds"}
    settings["dataset_dir"] = bodies
    run(BUNDLES / "lesion_classification", *overlays, **settings)
    words = (tmp_path, "--encoders", tmp_path / "isimed", "--folds", tmp_path / "folds")
    done = run_module("scripts.reports.study", *words)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    for title in ("Is there a lesion", "Means over ", "Where is this crop"):
        assert title in page
    assert [page.count(f"Figure {number}: ") > 0 for number in range(1, 6)] == [True] * 4 + [False]
