"""A study on one page, of results that were read before."""

import itertools

import numpy as np
import pytest

from scripts.evaluation.cross_validation import FOLD_METRICS
from scripts.reports.efficiency_results import EfficiencyResults
from scripts.reports.encoder_results import EncoderResults
from scripts.reports.fold_results import FoldResults
from scripts.reports.study import write_study

pytest.importorskip("matplotlib")
pytest.importorskip("scipy")
pandas = pytest.importorskip("pandas")


@pytest.fixture
def encoders():
    random = np.random.RandomState(0)
    metrics = {"subjects": 2, "scans": 2, "crops": 10, "location_error_mm": 9.0, "distance_error_mm": 5.0}
    arrays = [{"isimed": {}}, {"isimed": random.randn(10, 4)}, {"isimed": random.randn(10, 3)}]
    return EncoderResults({"isimed": metrics}, *arrays, location=random.randn(10, 3), settings={})


@pytest.fixture
def folds():
    random, subject = np.random.RandomState(0), np.repeat(np.arange(15), 4)
    items = {"subject": subject, "fold": subject % 3, "label": np.tile([0, 1], 30)}
    scores = pandas.DataFrame(items | {"isimed": random.randn(60), "position": random.randn(60)})
    means = pandas.DataFrame(0.5, index=["isimed", "position"], columns=[*FOLD_METRICS])
    return FoldResults(scores, ["position"], means, 0 * means.astype(int) + 3, efficiency=None)


@pytest.fixture
def results():
    each = itertools.product(
        ["isimed", "scratch"], [0.1, 1.0], [0, 1], [f"S{number}" for number in range(9)], ["organ"]
    )
    scores = pandas.DataFrame(each, columns=["encoder", "label_share", "repeat", "subject", "class"])
    dice = np.random.RandomState(0).rand(len(scores))
    return EfficiencyResults(scores.assign(dice=dice, surface_distance_mm=1.0), {0.1: 2, 1.0: 20})


def test_the_page_has_both_comparisons_and_its_figures_are_numbered(encoders, folds, tmp_path):
    page = write_study(tmp_path, encoders, folds).read_text(encoding="utf-8")
    titles = ["Is there a lesion", "Means over 3 folds", "Differences", "Where is this crop", "Results"]
    titles += ["Figure 1: Distances", "Figure 2: Maps", "Figure 3: ROC AUC"]
    places = [page.find(f"<h2>{title}") for title in titles]
    assert places == sorted(places) and places[0] > 0
    assert "Figure 4" not in page


def test_the_comparisons_lie_beside_it(encoders, folds, tmp_path, monkeypatch):
    for module in ("study", "compare_encoders"):  # figures take longer than all else
        monkeypatch.setattr(f"scripts.reports.{module}.encoder_figures", lambda encoders: [])
    write_study(tmp_path, encoders, folds)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("comparison.*")}
    assert found == {f"comparison/{part}/comparison.{end}" for part in ("encoders", "folds") for end in ("csv", "html")}


def test_segmentations_are_on_it_without_classifiers_too(encoders, results, tmp_path):
    page = write_study(tmp_path, encoders, results=results).read_text(encoding="utf-8")
    titles = ["Does it help to segment", "Mean Dice", "Difference from scratch", "Where is this crop", "Results"]
    titles += ["Figure 1: Distances", "Figure 2: Maps", "Figure 3: Segmentation with few labels"]
    places = [page.find(f"<h2>{title}") for title in titles]
    assert places == sorted(places) and places[0] > 0 and "lesion" not in page
    assert (tmp_path / "comparison" / "segmentation" / "label_efficiency.csv").is_file()
