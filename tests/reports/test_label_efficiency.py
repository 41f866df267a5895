"""Trainings with few labels side by side: by subject, and only those that can be compared."""

import csv
import itertools
import json
import re

import numpy as np
import pytest

from scripts.errors import InputError
from scripts.metrics.holm import holm
from scripts.metrics.signed_rank import signed_rank
from scripts.reports import label_efficiency
from scripts.reports.efficiency_metrics import efficiency_metrics
from scripts.reports.label_efficiency import write_label_efficiency
from scripts.reports.read_efficiency import read_efficiency

pytest.importorskip("pandas")
SUBJECTS = [f"S{number}" for number in range(12)]
SHARES, SEEDS, CLASSES = (0.1, 1.0), (0, 1), ("head", "tail")


@pytest.fixture
def train(tmp_path):
    """A function: the folder that a training leaves, whose Dice coefficients are about so high."""

    def make(encoder="scratch", share=1.0, seed=0, dice=0.5, rows=None, split=None, **settings):
        folder = tmp_path / f"{encoder.replace('/', '_')}_{share}_{seed}"
        folder.mkdir(exist_ok=True)
        config = {"encoder": encoder, "label_share": share, "seed": seed, "output_dir": str(folder), "max_epochs": 50}
        subjects = {"train": ["T0"] if share < 1 else ["T0", "T1"], "validate": ["V0"], "test": SUBJECTS}
        random = np.random.RandomState([seed, int(10 * share), len(encoder)])
        drawn = dice + 0.01 * random.randn(len(SUBJECTS), len(CLASSES))
        each = itertools.product(enumerate(SUBJECTS), enumerate(CLASSES))
        rows = rows or [[f"{s}.nii", s, c, drawn[i, j], 1.0] for (i, s), (j, c) in each]
        with open(folder / "scores.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["image", "subject", "class", "dice", "surface_distance_mm"], *rows])
        records = {"config": config | settings, "split": subjects | (split or {}), "labels": {"head": [1], "tail": [2]}}
        for name, content in (records | {"metrics": {}}).items():
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        return folder

    return make


@pytest.fixture
def grid(train):
    """Folders of trainings of three encoders, of which the pretrained one is better with few labels alone."""
    dice = {"scratch": (0.4, 0.8), "untrained": (0.3, 0.8), "/runs/isimed/encoder.pt": (0.6, 0.8)}
    return [
        train(encoder, share, seed, means[i])
        for encoder, means in dice.items()
        for i, share in enumerate(SHARES)
        for seed in SEEDS
    ]


@pytest.fixture
def metrics(train):
    """A function: metrics of encoders whose trainings with all labels had these rows, and others worse ones."""

    def read(**rows):
        runs = [train(name, rows=own) for name, own in rows.items()]
        runs += [train(name, 0.1, rows=[[*row[:3], 0.1, 9.0] for row in own]) for name, own in rows.items()]
        return efficiency_metrics(read_efficiency(runs))

    return read


def lines(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def dice_of(rows, encoder, share):
    """Mean Dice of each subject over repeats and classes."""
    chosen = [row for row in rows if (row["encoder"], float(row["label_share"])) == (encoder, share)]
    return np.array([np.mean([float(row["dice"]) for row in chosen if row["subject"] == one]) for one in SUBJECTS])


def test_each_training_subject_and_class_has_a_line(grid, tmp_path):
    write_label_efficiency(tmp_path / "all", read_efficiency(grid))
    rows = lines(tmp_path / "all" / "label_efficiency.csv")
    assert list(rows[0]) == ["encoder", "label_share", "repeat", "subject", "class", "dice"]
    known = {tuple(list(row.values())[:5]) for row in rows}
    expected = itertools.product(
        ("isimed", "scratch", "untrained"), map(str, SHARES), map(str, SEEDS), SUBJECTS, CLASSES
    )
    assert known == set(expected) and len(rows) == len(known)


def test_encoders_are_compared_by_subject_at_each_share(grid, tmp_path):
    write_label_efficiency(tmp_path / "all", read_efficiency(grid))
    rows, tests = (lines(tmp_path / "all" / f"{name}.csv") for name in ("label_efficiency", "differences"))
    for test in tests:
        pair = [dice_of(rows, test[key], float(test["label_share"])) for key in ("encoder", "other")]
        assert float(test["difference"]) == pytest.approx((pair[0] - pair[1]).mean())
        assert float(test["low"]) < float(test["difference"]) < float(test["high"])
        assert float(test["p_subjects"]) == pytest.approx(signed_rank(*pair).p) and test["subjects"] == "12"
    assert len(tests) == 3 * 2 * len(SHARES)


def test_p_values_are_corrected_for_all_that_is_compared_with_the_same_encoder(grid):
    tests = read_efficiency(grid).tests
    against = [test for (_, other, _), test in tests.items() if other == "scratch"]
    assert [test["p_holm"] for test in against] == holm([test["p_subjects"] for test in against])
    assert len(against) == 2 * len(SHARES)


def test_only_what_is_sure_is_called_better(grid):
    results = read_efficiency(grid)
    assert results.finding("isimed", "scratch") == "better than scratch with 10 %"
    assert results.finding("untrained", "isimed") == "worse than isimed with 10 %"
    assert results.tests["isimed", "scratch", 1.0]["p_holm"] > 0.05


def test_what_one_repeat_contradicts_is_not_called_better(train):
    runs = [train("scratch", seed=seed, dice=0.5) for seed in SEEDS]
    runs += [train("untrained", seed=seed, dice=dice) for seed, dice in zip(SEEDS, (0.9, 0.4), strict=True)]
    results = read_efficiency(runs)
    test = results.tests["untrained", "scratch", 1.0]
    assert test["p_holm"] < 0.05 and test["repeats"] == 1
    assert results.finding("untrained", "scratch") == "nowhere surely different from scratch"


def test_an_encoder_that_differs_nowhere_is_said_to(train):
    runs = [train(encoder) for encoder in ("scratch", "untrained")]
    assert read_efficiency(runs).finding("untrained", "scratch") == "nowhere surely different from scratch"


def test_a_mean_has_an_interval_by_subject_and_its_repeats(grid):
    curve = read_efficiency(grid).curves()["isimed"]
    np.testing.assert_allclose(curve.mean, [0.6, 0.8], atol=0.01)
    assert (curve.low < curve.mean).all() and (curve.mean < curve.high).all()
    np.testing.assert_allclose(curve.repeats.mean(1), curve.mean)


def test_few_subjects_have_no_interval(train):
    four = [[f"{one}.nii", one, "head", 0.5 + 0.1 * i, 1.0] for i, one in enumerate(SUBJECTS[:4])]
    curve = read_efficiency([train(rows=four)]).curves()["scratch"]
    assert curve.mean == pytest.approx(0.65) and np.isnan([*curve.low, *curve.high]).all()


def test_scans_of_one_subject_are_one_observation_and_classes_weigh_alike(train):
    scans = [["a.nii", "S0", "head", 0.2, 1.0], ["b.nii", "S0", "head", 0.4, 1.0], ["a.nii", "S0", "tail", 0.7, 1.0]]
    results = read_efficiency([train(rows=[*scans, ["c.nii", "S1", "head", 0.9, 1.0]])])
    assert results.scores["dice"].tolist() == pytest.approx([0.3, 0.7, 0.9])
    assert results.curves()["scratch"].mean == pytest.approx([(0.5 + 0.9) / 2])
    assert results.curves("tail")["scratch"].mean == pytest.approx([0.7])


def test_metrics_are_of_the_first_encoder_and_scratch_with_all_labels(metrics):
    own = [["a.nii", "S0", "head", 0.5, 1.0], ["a.nii", "S0", "tail", 0.7, None], ["b.nii", "S1", "head", 0.9, 4.0]]
    scratch = [[*row[:3], row[3] - 0.2, None] for row in own]
    assert metrics(**{"scratch": scratch, "/runs/isimed/encoder.pt": own, "/runs/other/encoder.pt": scratch}) == {
        "encoder": "isimed",
        "label_share": 1.0,
        "dice": pytest.approx((0.6 + 0.9) / 2),
        "dice_head": pytest.approx(0.7),
        "dice_tail": pytest.approx(0.7),
        "surface_distance_mm": 2.5,
        "subjects": 2,
        "dice_scratch": pytest.approx((0.4 + 0.7) / 2),
        "dice_head_scratch": pytest.approx(0.5),
        "dice_tail_scratch": pytest.approx(0.5),
        "surface_distance_mm_scratch": None,
        "subjects_scratch": 2,
    }


def test_metrics_are_means_over_repeats(train):
    runs = [train(seed=seed, rows=[["a.nii", "S0", "head", 0.2 + seed, 1.0 + seed]]) for seed in SEEDS]
    metrics = efficiency_metrics(read_efficiency(runs))
    assert metrics["dice"] == pytest.approx(0.7) and metrics["surface_distance_mm"] == 1.5


def test_scratch_is_not_compared_with_itself(metrics):
    rows = [["a.nii", "S0", "head", 0.5, 1.0]]
    alone = metrics(scratch=rows, untrained=rows)
    assert alone["encoder"] == "scratch" and not [name for name in alone if name.endswith("_scratch")]


def test_metrics_are_written_beside_the_table_without_a_page_too(grid, tmp_path, monkeypatch):
    monkeypatch.setattr(label_efficiency, "optional_import", lambda name: (None, False))
    table = write_label_efficiency(tmp_path / "all", read_efficiency(grid))
    written = json.loads(table.with_name("metrics.json").read_text(encoding="utf-8"))
    assert written == efficiency_metrics(read_efficiency(grid)) and not list(table.parent.glob("*.html"))


def test_the_page_has_means_differences_and_a_curve_a_class(grid, tmp_path):
    pytest.importorskip("matplotlib")
    page = write_label_efficiency(tmp_path / "all", read_efficiency(grid))
    text = page.read_text(encoding="utf-8")
    assert page.name == "label_efficiency.html"
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert headings == [
        "Mean Dice coefficient",
        "Difference from scratch",
        "Difference from untrained",
        "Label efficiency",
        "Each class",
    ]
    assert "<b>isimed</b>: better than scratch with 10 %; better than untrained with 10 %." in text
    assert re.search(r"<td>isimed</td><td data-of=\"10 %, n = 1\"><strong>0\.(59|60)\d</strong><small>", text)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"max_epochs": 10}, r"max_epochs is 10 in .*untrained.* and 50 in .*scratch"),
        ({"dropout": 0.5}, r"dropout is 0.5 in .*untrained.* and missing in .*scratch"),
        ({"split": {"test": ["S0"]}}, r"split.json is .* in .*untrained"),
        ({"split": {"train": ["T2", "T3"]}}, r"split.json is .* in .*untrained"),
    ],
)
def test_what_was_trained_or_tested_otherwise_is_refused(train, others, said):
    with pytest.raises(InputError, match=said):
        read_efficiency([train(), train("untrained", **others)])


def test_what_says_where_an_encoder_comes_from_may_differ(train):
    runs = [train(), train("/runs/isimed/encoder.pt", run_dir="/runs/isimed", device="cuda", pretraining_split="a")]
    assert read_efficiency(runs).names == ["isimed", "scratch"]


def test_random_is_another_word_for_untrained(train):
    assert read_efficiency([train("random"), train("untrained", seed=1)]).names == ["untrained"]


def test_a_training_that_has_not_ended_is_named(train, tmp_path):
    folder = train()
    (folder / "metrics.json").unlink()
    with pytest.raises(InputError, match=r"There is no metrics.json in .*scratch_1.0_0: give the output_dir"):
        read_efficiency([folder])


def test_a_repeat_that_one_encoder_lacks_is_named(grid):
    with pytest.raises(InputError, match="the training of isimed with label_share 1 and seed 1 is missing"):
        read_efficiency(grid[:-1])


def test_a_training_that_is_there_twice_is_refused(train):
    with pytest.raises(InputError, match="are both the training of scratch with label_share 1 and seed 0"):
        read_efficiency([train(), train()])


def test_two_encoders_of_one_name_are_refused(train):
    with pytest.raises(InputError, match=r"Two encoders are called isimed, /a/isimed/encoder.pt and /b/isimed/"):
        read_efficiency([train("/a/isimed/encoder.pt"), train("/b/isimed/encoder.pt")])
