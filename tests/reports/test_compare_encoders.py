"""Encoders side by side, on the same crops or not at all."""

import csv
import json
import re
import runpy
import sys

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
    "subjects": 20,
    "scans": 20,
    "crops": 40,
    "intervals": {"location_error_mm": [8.0, 10.0]},
}


def draws(metrics, spread=0.1):
    """Each metric in draws that differ by so much, alike for all metrics."""
    luck = spread * np.random.RandomState(0).randn(201)
    known = {key: np.asarray(value) for key, value in metrics.items() if "_mm" in key or "r2" in key}
    return {key: value + (luck if value.ndim == 0 else luck[:, None]) for key, value in known.items()}


@pytest.fixture
def evaluated(tmp_path):
    """A function: folder of an evaluation, with these metrics in place of others."""

    def make(name, seed=0, sure=True, **metrics):
        folder, random = tmp_path / name, np.random.RandomState(seed)
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps(METRICS | metrics), encoding="utf-8")
        np.savez(folder / "draws.npz", **draws(METRICS | metrics, 0.1 if sure else 20))
        arrays = {
            "location": random.randn(40, 3),
            "scan": np.arange(40) // 2,
            "embedding": random.randn(40, 4),
            "components": random.randn(40, 3),
        }
        np.savez(folder / "embeddings.npz", **arrays)
        return folder

    return make


@pytest.fixture
def both(evaluated):
    return [evaluated("barlow", rankme=12.0), evaluated("isimed", location_error_mm=6.0, distance_error_mm=5.0)]


@pytest.fixture
def _words_alone(monkeypatch):
    """Pages without figures, which take longer than all else."""
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("scripts.reports.compare_encoders.encoder_figures", lambda encoders: [])


@pytest.fixture
def page(both, tmp_path, _words_alone):
    return compare_encoders(tmp_path / "all", read_encoders(both)).read_text(encoding="utf-8")


@pytest.mark.usefixtures("_words_alone")
def test_the_page_says_for_how_long_those_were_trained_whose_runs_are_there(both, tmp_path):
    (both[1] / "history.csv").write_text("epoch,crops,best\n1,18,1\n2,36,0\n", encoding="utf-8")
    written = compare_encoders(tmp_path / "all", read_encoders(both)).read_text(encoding="utf-8")
    told = "<dt>epochs of isimed</dt><dd>2, with 36 crops; the weights of epoch 1 were kept</dd>"
    assert told in written and "epochs of barlow" not in written


def table(tmp_path):
    with open(tmp_path / "all" / "comparison.csv", encoding="utf-8", newline="") as file:
        return {row["metric"]: row for row in csv.DictReader(file)}


@pytest.mark.usefixtures("_words_alone")
def test_each_encoder_is_a_column_beside_the_baselines(both, tmp_path):
    compare_encoders(tmp_path / "all", read_encoders(both))
    row = table(tmp_path)["Location error (mm)"]
    assert list(row.values())[1:6] == ["9.0", "6.0", "20.0", "30.0", "60.0"]
    assert list(row)[1:6] == ["barlow", "isimed", "untrained encoder", "raw intensities", "mean"]


@pytest.mark.usefixtures("_words_alone")
def test_intervals_are_columns_too(both, tmp_path):
    compare_encoders(tmp_path / "all", read_encoders(both))
    row = table(tmp_path)["Location error (mm)"]
    assert [row[f"barlow, 95 % {end}"] for end in ("from", "to")] == ["8.0", "10.0"]


@pytest.mark.usefixtures("_words_alone")
def test_axes_are_rows_of_their_own(both, tmp_path):
    compare_encoders(tmp_path / "all", read_encoders(both))
    assert table(tmp_path)["Location R²: z, foot to head"]["barlow"] == "0.7"


@pytest.mark.parametrize("order", [("strong", "weak"), ("weak", "strong")])
def test_a_baseline_is_the_best_that_was_measured(order):
    metrics = {
        "strong": METRICS | {"location_error_mm_random_encoder": 14.0, "location_r2_random_encoder": [0.6] * 3},
        "weak": METRICS,
    }
    of_each = {name: draws(metrics[name]) for name in order}
    lines = {line.label: line.values for line in comparison_lines({name: metrics[name] for name in order}, of_each)}
    assert lines["Location error (mm)"]["untrained encoder"] == 14
    assert lines["Location R²: x, left to right"]["untrained encoder"] == 0.6


def lead(page):
    """The findings at the top of a page, in one line."""
    return " ".join(re.search(r'class="lead">(.*?)</p>', page, re.DOTALL)[1].split())


def test_the_leaders_are_named_with_all_others(page):
    beaten = "untrained encoder 20.0, raw intensities 30.0, mean 60.0."
    assert f"<b>isimed</b> has the smallest location error: 6.0 mm (barlow 9.0); to be beaten: {beaten}" in lead(page)
    beaten = "untrained encoder 77.0, mean 26.0."
    assert f"<b>isimed</b> has the smallest distance error: 5.0 mm (barlow 70.0); to be beaten: {beaten}" in lead(page)


@pytest.mark.usefixtures("_words_alone")
def test_nobody_leads_by_less_than_subjects_differ(evaluated, tmp_path):
    folders = [evaluated("barlow"), evaluated("isimed", location_error_mm=6.0, sure=False)]
    page = compare_encoders(tmp_path / "all", read_encoders(folders)).read_text(encoding="utf-8")
    assert "No encoder has surely the smallest location error: barlow 9.0 mm, isimed 6.0 mm; to be beaten:" in lead(
        page
    )
    assert not any("<strong>" in cell for cell in cells(page, "Location error (mm)"))


@pytest.mark.usefixtures("_words_alone")
def test_few_subjects_have_no_leader_and_nothing_is_marked(evaluated, tmp_path):
    folders = [evaluated("barlow", subjects=4), evaluated("isimed", subjects=4, location_error_mm=6.0)]
    page = compare_encoders(tmp_path / "all", read_encoders(folders)).read_text(encoding="utf-8")
    assert "No encoder has surely the smallest location error" in lead(page)
    assert 'class="lost"' not in page and "<strong>" not in page


def cells(page, label):
    row = re.search(rf"<tr><td>{re.escape(label)}<.*?</tr>", page, re.DOTALL)[0]
    return re.findall(r"<td.*?</td>", row)[1:]


def test_the_best_encoder_of_a_row_stands_out(page):
    assert ["<strong>" in cell for cell in cells(page, "Location error (mm)")] == [False, True, False, False, False]


def test_an_encoder_that_a_baseline_beats_is_marked(page):
    marked = ['class="lost"' in cell for cell in cells(page, "Distance error (mm)")]
    assert marked == [True, False, False, False, False]
    assert 'title="loses to: mean"' in cells(page, "Distance error (mm)")[0]


@pytest.mark.usefixtures("_words_alone")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_is_no_number_is_no_better_and_no_worse(evaluated, tmp_path, order):
    folders = [evaluated("collapsed", location_error_mm=float("nan")), evaluated("good")]
    page = compare_encoders(tmp_path / "all", read_encoders([folders[i] for i in order])).read_text(encoding="utf-8")
    assert "No encoder has surely the smallest location error" in lead(page)


@pytest.mark.usefixtures("_words_alone")
def test_pretext_tasks_are_told_beside_chance_where_they_were_measured(evaluated, tmp_path):
    solved = {"pretext_accuracy": 0.875, "pretext_chance": 0.125, "intervals": {"pretext_accuracy": [0.75, 0.97]}}
    folders = [evaluated("jigsaw", **solved), evaluated("rotation", pretext_accuracy=0.5), evaluated("isimed")]
    page = compare_encoders(tmp_path / "all", read_encoders(folders)).read_text(encoding="utf-8")
    (table,) = re.findall(r"Pretext tasks: right answers.*?</table>", page, re.DOTALL)
    assert "0.875<small>0.75" in table and "0.125" in table and "rotation" in table and "isimed" not in table


@pytest.mark.usefixtures("_words_alone")
def test_persons_are_told_beside_a_guess_where_they_were_sought(evaluated, tmp_path):
    keys = ("retrieval_top1", "retrieval_top1_back", "retrieval_median_rank")
    found = {f"{key}{end}": 0.625 for key in keys for end in ("", "_ridge", "_random_encoder", "_size")} | {
        "persons": 8
    }
    folders = [evaluated("contig", **found), evaluated("shuffled", **found), evaluated("isimed")]
    page = compare_encoders(tmp_path / "all", read_encoders(folders)).read_text(encoding="utf-8")
    (table,) = re.findall(r"Persons and their tables.*?</table>", page, re.DOTALL)
    assert table.count("0.625") == 2 * len(found) - 2 and "reaches 0.125" in table and "isimed" not in table


@pytest.mark.usefixtures("_words_alone")
def test_the_name_of_an_encoder_is_escaped(evaluated, tmp_path):
    folders = [evaluated("<i>small", location_error_mm=2.0), evaluated("b")]
    page = compare_encoders(tmp_path / "all", read_encoders(folders)).read_text(encoding="utf-8")
    assert "<i>" not in page and "<b>&lt;i&gt;small</b> has" in lead(page)


def test_an_encoder_is_not_mistaken_for_a_baseline(evaluated, tmp_path):
    with pytest.raises(InputError, match="cannot be called mean, as a baseline is"):
        compare_encoders(tmp_path / "all", read_encoders([evaluated("mean")]))


def test_no_encoder_is_best_where_no_direction_is_better(page):
    assert not any("<strong>" in cell or "lost" in cell for cell in cells(page, "Effective dimension (RankMe)"))


def test_the_figures_are_on_the_page_and_in_files(both, tmp_path):
    pytest.importorskip("matplotlib")
    page = compare_encoders(tmp_path / "all", read_encoders(both)).read_text(encoding="utf-8")
    assert page.count('src="data:image/svg+xml') == 2 + 6 + 2
    assert {path.stem for path in (tmp_path / "all" / "figures").iterdir()} == {"distances", "errors", "maps"}


@pytest.mark.usefixtures("_words_alone")
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


def test_an_evaluation_without_draws_is_to_be_repeated(both, tmp_path):
    (both[0] / "draws.npz").unlink()
    with pytest.raises(InputError, match=r"no draws\.npz in .*barlow: evaluate"):
        compare_encoders(tmp_path / "all", read_encoders(both))


def test_two_folders_of_one_name_are_not_taken_for_one(both, tmp_path):
    with pytest.raises(InputError, match="Two encoders are called isimed"):
        compare_encoders(tmp_path / "all", read_encoders([*both, tmp_path / "elsewhere" / "isimed"]))


def test_it_is_a_command_whose_mistakes_are_one_sentence(run_module):
    done = run_module("scripts.reports.compare_encoders", "all", "gone")
    assert done.returncode > 0 and "Traceback" not in done.stderr
    assert "error: There is no metrics.json in gone" in done.stderr


def test_the_command_asks_for_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare_encoders", "all"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.delitem(sys.modules, "scripts.reports.compare_encoders")  # is run anew
    with pytest.raises(SystemExit):
        runpy.run_module("scripts.reports.compare_encoders", run_name="__main__")
    assert "error: the following arguments are required: folders" in capsys.readouterr().err
