"""Encoders side by side, on the same crops or not at all."""

import csv
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.errors import InputError
from scripts.reports.compare_encoders import compare_encoders
from scripts.reports.encoder_results import read_encoders
from scripts.reports.encoder_table import comparison_lines

METRICS = {
    "location_error_mm": 9.0,
    "location_error_mm_random_encoder": 20.0,
    "location_error_mm_intensities": 30.0,
    "location_error_mm_mean_position": 60.0,
    "location_r2": [0.9, 0.8, 0.7],
    "location_r2_random_encoder": [0.5, 0.5, 0.5],
    "distance_error_mm": 70.0,
    "distance_error_mm_random_encoder": 77.0,
    "distance_error_mm_mean_distance": 26.0,
    "rankme": 40.0,
    "rankme_random_encoder": 17.0,
    "subjects": 2,
    "scans": 2,
    "crops": 10,
}


@pytest.fixture
def evaluated(tmp_path):
    """A function: folder of an evaluation, with these metrics in place of others."""

    def make(name, seed=0, **metrics):
        folder, random = tmp_path / name, np.random.RandomState(seed)
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps(METRICS | metrics))
        arrays = {
            "location": random.randn(10, 3),
            "scan": np.arange(10) // 5,
            "embedding": random.randn(10, 4),
            "components": random.randn(10, 3),
        }
        np.savez(folder / "embeddings.npz", **arrays)
        return folder

    return make


@pytest.fixture
def both(evaluated):
    return [evaluated("barlow", rankme=12.0), evaluated("isimed", location_error_mm=6.0, distance_error_mm=5.0)]


@pytest.fixture
def page(both, tmp_path):
    pytest.importorskip("matplotlib")
    return compare_encoders(tmp_path / "all", read_encoders(both)).read_text()


def table(tmp_path):
    with open(tmp_path / "all" / "comparison.csv", newline="") as file:
        return {row["metric"]: row for row in csv.DictReader(file)}


def test_each_encoder_is_a_column_beside_the_baselines(both, tmp_path):
    compare_encoders(tmp_path / "all", read_encoders(both))
    row = table(tmp_path)["Location error (mm)"]
    assert list(row.values())[1:] == ["9.0", "6.0", "20.0", "30.0", "60.0"]
    assert list(row)[1:] == ["barlow", "isimed", "untrained encoder", "raw intensities", "mean"]


def test_axes_are_rows_of_their_own(both, tmp_path):
    compare_encoders(tmp_path / "all", read_encoders(both))
    assert table(tmp_path)["Location R²: z, foot to head"]["barlow"] == "0.7"


@pytest.mark.parametrize("order", [("strong", "weak"), ("weak", "strong")])
def test_a_baseline_is_the_best_that_was_measured(order):
    metrics = {
        "strong": METRICS | {"location_error_mm_random_encoder": 14.0, "location_r2_random_encoder": [0.6] * 3},
        "weak": METRICS,
    }
    lines = {line.label: line.values for line in comparison_lines({name: metrics[name] for name in order})}
    assert lines["Location error (mm)"]["untrained encoder"] == 14
    assert lines["Location R²: x, left to right"]["untrained encoder"] == 0.6


def lead(page):
    """The findings at the top of a page, in one line."""
    return " ".join(re.search(r'class="lead">(.*?)</p>', page, re.DOTALL)[1].split())


def test_the_leaders_are_named_with_all_others(page):
    beaten = "untrained encoder 20.0, raw intensities 30.0, mean 60.0."
    assert f"<b>isimed</b> has the smallest location error, 6.0 mm (barlow 9.0); to be beaten: {beaten}" in lead(page)
    beaten = "untrained encoder 77.0, mean 26.0."
    assert f"<b>isimed</b> has the smallest distance error, 5.0 mm (barlow 70.0); to be beaten: {beaten}" in lead(page)


def cells(page, label):
    row = re.search(rf"<tr><td>{re.escape(label)}<.*?</tr>", page)[0]
    return re.findall(r"<td.*?</td>", row)[1:]


def test_the_best_encoder_of_a_row_stands_out(page):
    assert ["<strong>" in cell for cell in cells(page, "Location error (mm)")] == [False, True, False, False, False]


def test_an_encoder_that_a_baseline_beats_is_marked(page):
    marked = ['class="lost"' in cell for cell in cells(page, "Distance error (mm)")]
    assert marked == [True, False, False, False, False]
    assert 'title="does not beat: mean"' in cells(page, "Distance error (mm)")[0]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_is_no_number_leads_nothing(evaluated, tmp_path, order):
    pytest.importorskip("matplotlib")
    folders = [evaluated("collapsed", location_error_mm=float("nan")), evaluated("good")]
    page = compare_encoders(tmp_path / "all", read_encoders([folders[i] for i in order])).read_text()
    assert "<b>good</b> has the smallest location error, 9.0 mm" in lead(page)


def test_the_name_of_an_encoder_is_escaped(evaluated, tmp_path):
    pytest.importorskip("matplotlib")
    page = compare_encoders(tmp_path / "all", read_encoders([evaluated("<i>small"), evaluated("b")])).read_text()
    assert "<i>" not in page and "<b>&lt;i&gt;small</b> has" in lead(page)


def test_an_encoder_is_not_mistaken_for_a_baseline(evaluated, tmp_path):
    with pytest.raises(InputError, match="cannot be called mean, as a baseline is"):
        compare_encoders(tmp_path / "all", read_encoders([evaluated("mean")]))


def test_no_encoder_is_best_where_no_direction_is_better(page):
    assert not any("<strong>" in cell or "lost" in cell for cell in cells(page, "Effective dimension (RankMe)"))


def test_the_figures_are_on_the_page_and_in_files(page, tmp_path):
    assert page.count('src="data:image/png') == 3
    assert {path.stem for path in (tmp_path / "all" / "figures").iterdir()} == {"distances", "errors", "maps"}


def test_one_encoder_can_be_looked_at_alone(both, tmp_path):
    compare_encoders(tmp_path / "all", read_encoders(both[:1]))
    assert table(tmp_path)["Location error (mm)"]["barlow"] == "9.0"


def test_encoders_that_saw_other_crops_are_not_compared(evaluated, tmp_path):
    folders = [evaluated("first"), evaluated("second", seed=1)]
    with pytest.raises(InputError, match="second and first were not evaluated on the same crops"):
        compare_encoders(tmp_path / "all", read_encoders(folders))


def test_a_folder_that_was_not_evaluated_is_named(both, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no metrics\.json in .*empty: evaluate"):
        compare_encoders(tmp_path / "all", read_encoders([*both, tmp_path / "empty"]))


def test_two_folders_of_one_name_are_not_taken_for_one(both, tmp_path):
    with pytest.raises(InputError, match="Two encoders are called isimed"):
        compare_encoders(tmp_path / "all", read_encoders([*both, tmp_path / "elsewhere" / "isimed"]))


def test_it_is_a_command_whose_mistakes_are_one_sentence():
    words = [sys.executable, "-W", "ignore", "-m", "scripts.reports.compare_encoders", "all", "gone"]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode > 0 and "Traceback" not in done.stderr
    assert "error: There is no metrics.json in gone" in done.stderr


def test_the_command_asks_for_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare_encoders", "all"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.delitem(sys.modules, "scripts.reports.compare_encoders")  # is run anew
    with pytest.raises(SystemExit):
        runpy.run_module("scripts.reports.compare_encoders", run_name="__main__")
    assert "error: the following arguments are required: folders" in capsys.readouterr().err
