"""Cross-validations side by side, in the same folds or not at all."""

import csv
import functools
import re
import sys

import numpy as np
import pytest
import torch
from monai.metrics import compute_roc_auc

from scripts.errors import InputError
from scripts.evaluation.cross_validation import FOLD_METRICS
from scripts.metrics.fold_statistics import bootstrap_interval, paired_tests
from scripts.metrics.holm import holm
from scripts.metrics.subject_tests import subject_test, within_subject_auc
from scripts.reports.compare_folds import compare_folds, findings
from scripts.reports.read_folds import read_folds

pytest.importorskip("pandas")
pytest.importorskip("scipy")
SUBJECTS, FOLDS = np.repeat(np.arange(30), 8), np.repeat(np.arange(30), 8) % 5
LABELS = np.tile([0, 1], 120)
SOME = LABELS * (FOLDS < 4)  # in the last fold, nobody has a lesion


@pytest.fixture(autouse=True)
def _few_resamplings(monkeypatch):
    few = functools.partial(bootstrap_interval, repeats=50)
    monkeypatch.setattr("scripts.reports.fold_results.bootstrap_interval", few)


@pytest.fixture
def folder(tmp_path):
    """A function: folder of a cross-validation of an encoder whose scores show the label so much."""

    def make(name, strength, labels=LABELS, seed=0, subjects=SUBJECTS, layers="", untrained=False):
        random, baselines = np.random.RandomState(seed), np.random.RandomState(99)
        scores = {name: strength * LABELS + random.randn(240)}
        scores |= {baseline: 0.5 * LABELS + baselines.randn(240) for baseline in ("position", "intensity")}
        scores |= {"untrained": 0.3 * LABELS + np.random.RandomState(98).randn(240)} if untrained else {}
        path = tmp_path / f"{name}{layers}"
        path.mkdir()
        with open(path / "scores.csv", "w", encoding="utf-8", newline="") as file:
            rows = zip(subjects, FOLDS, labels, *scores.values(), strict=True)
            csv.writer(file).writerows([["subject", "fold", "label", *scores], *rows])
        with open(path / "cross_validation.csv", "w", encoding="utf-8", newline="") as file:
            of = {who: layers if who in (name, "untrained") else "" for who in scores}
            rows = [[who, fold, 0.5 + fold / 10, 0.4, 0.3, 0.2, of[who]] for who in scores for fold in range(5)]
            rows = [
                [*row[:2], *("nan" if labels is SOME and row[1] == 4 else v for v in row[2:5]), *row[5:]]
                for row in rows
            ]
            csv.writer(file).writerows([["encoder", "fold", *FOLD_METRICS, "layers"], *rows])
        make.scores[name] = scores
        return path

    make.scores = {}
    return make


def table(tmp_path):
    with open(tmp_path / "all" / "comparison.csv", encoding="utf-8", newline="") as file:
        return {(row["encoder"], row["other"]): row for row in csv.DictReader(file)}


def aucs(scores):
    parts = [[torch.from_numpy(values[fold == FOLDS]) for values in (scores, LABELS)] for fold in range(5)]
    return np.array([compute_roc_auc(*part) for part in parts])


def test_each_pair_is_tested_in_the_same_folds(folder, tmp_path):
    compare_folds(tmp_path / "all", read_folds([folder("good", 3), folder("poor", 0.2, seed=1)]))
    expected = paired_tests(aucs(folder.scores["good"]["good"]), aucs(folder.scores["poor"]["poor"]), 1 / 3)
    row = table(tmp_path)["good", "poor"]
    assert {key: float(row[key]) for key in expected} == pytest.approx(expected)
    within = [within_subject_auc(folder.scores[name][name], LABELS, SUBJECTS) for name in ("good", "poor")]
    expected = subject_test(*within)
    assert {key: float(row[key]) for key in expected} == pytest.approx(expected)


def test_p_values_are_corrected_for_all_pairs_of_the_page(folder, tmp_path):
    compare_folds(tmp_path / "all", read_folds([folder("good", 3), folder("poor", 0.2, seed=1)]))
    rows = table(tmp_path)
    pairs = [pair for pair in rows if pair[0] < pair[1]]
    for plain, corrected in (("p_corrected", "p_holm"), ("p_subjects", "p_subjects_holm")):
        expected = dict(zip(pairs, holm([float(rows[pair][plain]) for pair in pairs]), strict=True))
        for (first, second), p in expected.items():
            assert float(rows[first, second][corrected]) == pytest.approx(p)
            assert float(rows[second, first][corrected]) == pytest.approx(p)


def test_one_encoder_at_several_layers_stands_side_by_side(folder, tmp_path):
    compare_folds(tmp_path / "all", read_folds([folder("mine", 1, layers="output"), folder("mine", 3, layers="early")]))
    rows = table(tmp_path)
    assert float(rows["mine (early)", "mine (output)"]["difference"]) > 0
    assert {name for pair in rows for name in pair} == {"mine (early)", "mine (output)", "position", "intensity"}


def test_the_untrained_encoder_of_a_run_and_one_of_its_own_are_one(folder, tmp_path):
    folders = [folder("mine", 3, layers="early", untrained=True), folder("untrained", 0.3, layers="early")]
    folds = read_folds(folders)
    assert folds.names == ["mine (early)", "untrained (early)", "position", "intensity"]
    assert list(findings(folds)) == ["mine (early)"]
    assert any("the untrained (early) encoder" in verdict for verdict in findings(folds)["mine (early)"])


def test_lesions_of_each_size_have_their_own_column(folder, tmp_path):
    pytest.importorskip("matplotlib")
    path = folder("mine", 3, layers="early")
    header = ["encoder", "layers", "stratum", "positives", "negatives", "subjects", "auc", "low", "high"]
    with open(path / "strata.csv", "w", encoding="utf-8", newline="") as file:
        small, large = ["below 1 ml", 7, 50, 3, 0.61, "nan", "nan"], ["1 to 10 ml", 20, 50, 9, 0.72, 0.6, 0.8]
        csv.writer(file).writerows([header, ["mine", "early", *small], ["mine", "early", *large]])
    page = compare_folds(tmp_path / "all", read_folds([path])).read_text(encoding="utf-8")
    row = re.search(r"By how much lesion.*?<tr><td>mine \(early\)</td>(.*?)</tr>", page, re.DOTALL)[1]
    assert re.findall(r'<td data-of="(.*?)">(.*?)</td>', row) == [
        ("below 1 ml", "0.610"),
        ("1 to 10 ml", "0.720<small>95 % from 0.600 to 0.800</small>"),
    ]
    assert "below 1 ml: 7 crops of 3 subjects" in page


def test_subjects_with_crops_of_one_kind_are_not_compared_within(folder, tmp_path):
    pytest.importorskip("matplotlib")
    labels = np.where(SUBJECTS % 2, LABELS, 0)
    page = compare_folds(tmp_path / "all", read_folds([folder("mine", 3, labels=labels)])).read_text(encoding="utf-8")
    assert "which the 15 of 30 subjects have" in page
    alone = read_folds([folder("one", 3, labels=(SUBJECTS // 5) % 2)])
    assert "over subjects" not in str(findings(alone)) and alone.of_both_kinds == 0


def test_baselines_are_compared_with_once_and_stand_last(folder, tmp_path):
    pytest.importorskip("matplotlib")
    page = compare_folds(tmp_path / "all", read_folds([folder("good", 3), folder("poor", 0.2, seed=1)])).read_text(
        encoding="utf-8"
    )
    columns = re.findall(r"<th>(.*?)</th>", page)
    assert columns[-4:] == ["good", "poor", "position", "intensity"] and columns.count("good") == 2


def test_the_means_of_all_metrics_stand_below(folder, tmp_path):
    pytest.importorskip("matplotlib")
    page = compare_folds(tmp_path / "all", read_folds([folder("good", 3)])).read_text(encoding="utf-8")
    assert cells(page, "good") == ["0.700", "0.400", "0.300", "0.200"]


def cells(page, name):
    """The figures of the first table's row of that name."""
    row = re.search(rf"<tr><td>{name}</td>.*?</tr>", page, re.DOTALL)[0]
    return re.findall(r'<td data-of="[^"]*">(?:<strong>)?(.*?)<', row)


def test_intervals_say_on_how_many_subjects_they_rest(folder, tmp_path):
    pytest.importorskip("matplotlib")
    page = compare_folds(tmp_path / "all", read_folds([folder("good", 3)])).read_text(encoding="utf-8")
    assert re.search(r"<strong>0.700</strong><small>95 % from 0.\d+ to [01].\d+</small>", page)
    assert "draws of the subjects of each fold, 30, 6 in a fold." in page


def test_folds_of_two_subjects_have_no_interval(folder, tmp_path):
    pytest.importorskip("matplotlib")
    few = folder("good", 3, subjects=FOLDS + 5 * (SUBJECTS % 2))
    page = compare_folds(tmp_path / "all", read_folds([few])).read_text(encoding="utf-8")
    assert "AUC 0.98" in lead(page) and "(too few subjects for an interval: 10, 2 in a fold); it beats" in lead(page)
    assert "95 % from" not in page


def test_a_fold_without_a_lesion_is_not_averaged_over(folder, tmp_path):
    pytest.importorskip("matplotlib")
    page = compare_folds(tmp_path / "all", read_folds([folder("good", 3, labels=SOME)])).read_text(encoding="utf-8")
    assert "Means over 4 of 5 folds" in page
    assert cells(page, "good") == ["0.650", "0.400", "0.300", "0.200"]
    assert page.count("<small>over 4 of 5 folds</small>") == 3 * 2  # precision and sensitivity, of three classifiers
    rows = table(tmp_path).values()
    assert {(row["folds"], row["of_folds"]) for row in rows} == {("4", "5")}


def test_label_efficiency_is_drawn_where_it_was_measured(folder, tmp_path):
    pytest.importorskip("matplotlib")
    first, second = folder("first", 3), folder("second", 1, seed=1)
    for path in (first, second):
        rows = [[path.name, share, fold, share / 2] for share in (0.1, 1.0) for fold in range(5)]
        with open(path / "label_efficiency.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["encoder", "label_share", "fold", "auc"], *rows])
    compare_folds(tmp_path / "all", read_folds([first, second]))
    drawn = (tmp_path / "all" / "figures" / "label_efficiency.csv").read_text(encoding="utf-8").split()
    assert drawn == ["share,first,second", "0.1,0.05,0.05", "1,0.5,0.5"]


def lead(page):
    """The findings at the top of a page, in one line."""
    return " ".join(re.search(r'class="lead">(.*?)</p>', page, re.DOTALL)[1].split())


def test_an_encoder_is_said_to_beat_a_baseline_only_where_that_is_sure(folder, tmp_path):
    pytest.importorskip("matplotlib")
    folders = [folder("good", 3), folder("better", 0.6, seed=3), folder("poor", 0, seed=1)]
    page = compare_folds(tmp_path / "all", read_folds(folders)).read_text(encoding="utf-8")
    assert re.search(
        r"<b>good</b>: AUC 0\.\d+ over 5 folds \(95 % from .*?\); it beats position alone \(p = .*?\), beats",
        lead(page),
    )
    assert re.search(r"<b>better</b>: .*?; it is not surely better than position alone", lead(page))
    assert re.search(r"<b>poor</b>: .*; it does not beat position alone .*, does not beat intensity alone", lead(page))


def test_an_untrained_encoder_is_to_be_beaten_too(folder, tmp_path):
    pytest.importorskip("matplotlib")
    page = compare_folds(tmp_path / "all", read_folds([folder("good", 3), folder("untrained", 0.1, seed=1)])).read_text(
        encoding="utf-8"
    )
    assert re.search(r"<b>good</b>: [^<]*; it beats the untrained encoder \(p = ", lead(page))
    assert re.search(r"<b>untrained</b>: [^<]*; it does not beat position alone", lead(page))


def test_other_crops_are_not_compared(folder, tmp_path):
    with pytest.raises(InputError, match="not cross-validated on the crops and folds"):
        compare_folds(tmp_path / "all", read_folds([folder("first", 1), folder("second", 1, labels=1 - LABELS)]))


def test_other_crops_with_the_same_labels_are_not_compared(folder, tmp_path):
    first, second = folder("first", 1), folder("second", 1)
    text = (second / "scores.csv").read_text(encoding="utf-8").splitlines()
    subject, fold, label, own, position, intensity = text[7].split(",")
    text[7] = ",".join([subject, fold, label, own, str(float(position) + 0.1), intensity])
    (second / "scores.csv").write_text("\n".join(text), encoding="utf-8")
    with pytest.raises(InputError, match=r"position alone says something else in .*second"):
        compare_folds(tmp_path / "all", read_folds([first, second]))


def test_a_folder_without_scores_is_named(folder, tmp_path):
    with pytest.raises(InputError, match=r"no scores\.csv in .*gone"):
        compare_folds(tmp_path / "all", read_folds([folder("first", 1), tmp_path / "gone"]))


@pytest.mark.parametrize("package", ["pandas", "scipy"])
def test_a_package_that_is_missing_is_named(folder, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=f"pip install {package}"):
        read_folds([folder("first", 1)])


def test_names_that_look_like_numbers_or_like_nothing_are_names(folder, tmp_path):
    pytest.importorskip("matplotlib")
    text = compare_folds(tmp_path / "all", read_folds([folder("007", 3), folder("NA", 1, seed=1)])).read_text(
        encoding="utf-8"
    )
    assert {pair for pair in table(tmp_path) if set(pair) == {"007", "NA"}} == {("007", "NA"), ("NA", "007")}
    assert "<td>007</td>" in text and "<td>NA</td>" in text


def test_two_encoders_of_one_name_are_refused(folder, tmp_path):
    path = folder("first", 1)
    with pytest.raises(InputError, match="Two encoders are called first"):
        compare_folds(tmp_path / "all", read_folds([path, path]))


def test_a_fold_without_lesions_has_no_auc_and_does_not_count(folder, tmp_path):
    labels = np.where(FOLDS == 0, 0, LABELS)
    folders = [folder("first", 3, labels=labels), folder("second", 0.2, labels=labels, seed=1)]
    compare_folds(tmp_path / "all", read_folds(folders))
    first, second = (aucs(folder.scores[name][name])[1:] for name in ("first", "second"))
    assert float(table(tmp_path)["first", "second"]["difference"]) == pytest.approx((first - second).mean())


def test_a_table_of_an_earlier_version_names_no_layers(folder):
    path = folder("mine", 3)
    lines = (path / "cross_validation.csv").read_text(encoding="utf-8").splitlines()
    (path / "cross_validation.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines), encoding="utf-8")
    assert read_folds([path]).names == ["mine", "position", "intensity"]


def test_the_page_says_of_thresholds_what_is_true_of_crops_and_of_subjects(folder, tmp_path):
    pytest.importorskip("matplotlib")
    page = compare_folds(tmp_path / "all", read_folds([folder("mine", 3)])).read_text(encoding="utf-8")
    assert "at a threshold that a fold's own subjects had no part in" in page and "that validates" not in page


def test_an_encoder_has_to_beat_the_untrained_one_at_its_own_layers(folder):
    folders = [folder("mine", 3, layers=layers, untrained=True) for layers in ("early", "output")]
    said = findings(read_folds(folders))["mine (early)"]
    assert [verdict for verdict in said if "untrained (early)" in verdict] and "untrained (output)" not in str(said)
