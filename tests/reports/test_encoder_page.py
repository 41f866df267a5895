"""The page about an encoder."""

import base64
import csv
import io
import json
import re
from html import unescape

import numpy as np
import pytest

from scripts.reports.encoder_figures import embedding_map_2d
from scripts.reports.encoder_page import write_report
from scripts.reports.pretext_table import CONTROLS, pretext_rows
from scripts.reports.scan_figure import scan_map

pytest.importorskip("matplotlib")

METRICS = {
    "location_error_mm": 9.64,
    "location_error_mm_random_encoder": 31.2,
    "location_error_mm_intensities": 27.9,
    "location_error_mm_mean_position": 62.4,
    "location_error_mm_axes": [4.1, 5.2, np.float32(5.5)],
    "location_error_mm_axes_random_encoder": np.array([12.2, 18.3, 19.0]),
    "location_r2": [0.96, 0.97, 0.98],
    "location_r2_random_encoder": [0.55, 0.56, 0.57],
    "distance_error_mm": 6.3,
    "distance_error_mm_random_encoder": 48.9,
    "distance_error_mm_mean_distance": 31.7,
    "distance_error_mm_within_scans": 5.9,
    "distance_error_mm_within_scans_random_encoder": 47.7,
    "pca3_location_r2": [0.96, 0.94, 0.91],
    "pca3_location_r2_random_encoder": [0.31, 0.22, 0.35],
    "rankme": 4.3,
    "rankme_random_encoder": 11.8,
    "subjects": 58,
    "crops": 1500,
    "frame": "foreground",
    "intervals": {"location_error_mm": [8.1, 11.2], "location_r2": [[0.93, 0.99], [0.95, 0.985], [0.96, 0.995]]},
    "differences": {
        "location_error_mm_random_encoder": [-25.0, -18.0],
        "distance_error_mm_mean_distance": [-28.0, -22.0],
        "location_r2_random_encoder": [[0.3, 0.5], [0.3, 0.5], [0.3, 0.5]],
    },
}
HEAD = {"data": "/my/scans, <24> scans"}


@pytest.fixture(scope="module")
def drawn():
    location = np.random.RandomState(0).uniform(-80, 80, (20, 3))
    nothing = np.zeros((4, 4, 4))
    return [
        embedding_map_2d("map", "A <map>", 'Near & far "places".', location[:, :2], location, ("one", "other")),
        scan_map(nothing, np.stack([nothing] * 3), 2.0),
    ]


@pytest.fixture(scope="module")
def folder(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "new"
    write_report(folder, "<b>Title</b>", HEAD, METRICS, drawn, {"seed": 7, "patch": "<i>32</i>"})
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def rows(tmp_path, **metrics):
    """The HTML of the rows of the table of results."""
    text = write_report(tmp_path, "Title", {}, metrics, [], {}).read_text(encoding="utf-8")
    return re.findall(r"<tr.*?</tr>", text, re.DOTALL)[1:]


def test_every_metric_is_on_the_page(page):
    details = unescape(re.search(r"All metrics</summary><pre>(.*?)</pre>", page, re.DOTALL)[1])
    assert json.loads(details).keys() == METRICS.keys()
    shown = re.findall(r">(-?[0-9.]+)<", re.search(r"<table>.*</table>", page, re.DOTALL)[0])
    for key in METRICS.keys() - {"subjects", "crops", "frame", "intervals", "differences"}:
        for value in np.ravel(METRICS[key]):
            assert f"{value:.3f}" in shown or f"{value:.1f}" in shown, key


def test_every_figure_is_on_the_page_and_in_a_file(page, folder):
    for name in ("map", "scan"):
        png = (folder / "figures" / f"{name}.png").read_bytes()
        assert png.startswith(b"\x89PNG")
    assert page.count('src="data:image/svg+xml;base64,') == 3 + 6  # a picture a panel


def test_data_can_be_downloaded_and_are_what_is_drawn(page, folder, drawn):
    table = base64.b64decode(re.search(r'href="data:text/csv;base64,(.*?)"', page)[1])
    assert table == (folder / "figures" / "map.csv").read_bytes()
    columns = list(csv.DictReader(io.StringIO(table.decode())))
    for name, values in drawn[0].data.items():
        np.testing.assert_allclose([float(row[name]) for row in columns], values, rtol=1e-5)


def test_a_figure_without_data_has_no_download(page, folder):
    assert page.count("Download data") == 1
    assert not (folder / "figures" / "scan.csv").exists()


def test_the_page_needs_nothing_else(page):
    assert all(link.startswith("data:") for link in re.findall(r"(?:src|href)=\"(.*?)\"", page))
    assert not re.search(r"<link|<script|@import|url\(|https?://", page)


def test_text_is_escaped(page):
    for text in ("<b>Title", "<map>", '"places"', "<i>32", "<24>"):
        assert text not in page
    for text in ("&lt;b&gt;Title", "A &lt;map&gt;", "Near &amp; far", "&lt;i&gt;32", "&lt;24&gt;"):
        assert text in page


def test_a_pretext_task_stands_beside_chance_and_its_controls(tmp_path):
    figures = {"pretext_accuracy": 0.62, "pretext_accuracy_borders": 0.31, "pretext_chance": 0.1}
    metrics = METRICS | figures | {"intervals": {"pretext_accuracy": [0.55, 0.7]}}
    text = write_report(tmp_path, "Title", {}, metrics, [], {}).read_text(encoding="utf-8")
    table = text.partition("The pretext task")[2].partition("</table>")[0]
    assert re.findall(r"<tr><td>([a-z ]+)", table) == [
        "this encoder and its head",
        "on borders of crops alone",
        "chance",
    ]
    assert "<strong>0.620</strong><small>0.550 to 0.700</small>" in table and ">0.310<" in table


def test_a_page_about_persons_begins_with_who_was_found_and_what_finds_them_without_an_encoder(tmp_path):
    keys = ("retrieval_top1", "retrieval_top1_back", "retrieval_median_rank")
    figures = {f"{key}{end}": 0.625 for key in keys for end in ("", "_ridge", "_random_encoder", "_size")}
    metrics = METRICS | figures | {"persons": 8, "retrieval_top1_size": 0.375}
    text = write_report(tmp_path, "Title", {}, metrics, [], {}).read_text(encoding="utf-8")
    lead = " ".join(text.partition('<p class="lead">')[2].partition("</p>")[0].split())
    assert lead.startswith("Of 8 test persons, the scan finds the line in the tables at once in a share of <b>0.625")
    assert "0.125 by guessing" in lead and "0.375 (ridge, size of the body)." in lead
    assert text.index("Persons and their tables") < text.index("Location error (mm)")


def test_what_the_heads_that_are_fitted_alike_differ_by_stands_below_them():
    figures = {
        "pretext_accuracy_fitted_head": 0.6,
        "pretext_accuracy_random_encoder": 0.5,
        "pretext_accuracy_gain": 0.1,
    }
    rows = pretext_rows(figures | {"intervals": {"pretext_accuracy_gain": [0.05, 0.2]}})
    assert (rows[-1].label, rows[-1].interval) == ("what the first of these two has more", [0.05, 0.2])


@pytest.mark.parametrize("control", CONTROLS)
def test_an_encoder_that_was_trained_on_a_control_is_said_to_be_and_has_no_second_row_of_it(tmp_path, control):
    metrics = METRICS | {f"pretext_accuracy_{name}": 0.3 for name in CONTROLS} | {"pretext_accuracy": 0.6}
    settings = {"evaluate_config": {"control": control}}
    text = unescape(write_report(tmp_path, "Title", {}, metrics, [], settings).read_text(encoding="utf-8"))
    table = text.partition("The pretext task")[2].partition("</table>")[0]
    assert f"trained and asked {CONTROLS[control]}" in table and f"<td>{CONTROLS[control]}" not in table
    assert table.count("<tr><td>") == len(CONTROLS)


def test_an_encoder_without_a_pretext_task_has_no_table_of_it(page):
    assert "The pretext task" not in page


def test_persons_who_are_found_stand_beside_what_else_finds_them(tmp_path):
    figures = {"persons": 12, "persons_blood": 9, "persons_genes": 1}
    for table in ("", "_blood"):
        for ending, value in {"": 0.62, "_ridge": 0.5, "_random_encoder": 0.2, "_size": 0.31}.items():
            figures |= {f"retrieval_{key}{table}{ending}": value for key in ("top1", "top1_back", "median_rank")}
    metrics = METRICS | figures | {"intervals": {"retrieval_top1": [0.55, 0.7]}}
    text = write_report(tmp_path, "Title", {}, metrics, [], {}).read_text(encoding="utf-8")
    table = text.partition("Persons and their tables")[2].partition("</table>")[0]
    assert len(re.findall(r"<tr><td>(?:all tables|blood): ", table)) == 6 == table.count("<tr><td>")
    assert "<strong>0.620</strong><small>0.550 to 0.700</small>" in table
    assert (table.count("<strong>0.620"), table.count("<strong>0.200")) == (4, 2)  # of ranks, the lowest is best
    assert "12 test persons; a guess reaches 0.0833" in table and "9 test persons; a guess reaches 5<" in table


def test_an_encoder_without_tables_has_no_table_of_persons(page):
    assert "Persons and their tables" not in page


def lead(page):
    """The findings at the top of a page, in one line."""
    return " ".join(re.search(r'class="lead">(.*?)</p>', page, re.DOTALL)[1].split())


def test_findings_stand_with_their_intervals_beside_their_baselines(page):
    assert "<b>9.6 mm</b> (95 % from 8.1 to 11.2); beside it, 31.2 mm with an untrained encoder, 27.9 mm with" in lead(
        page
    )
    assert "<b>6.3 mm</b>; beside it, 48.9 mm with an untrained encoder, 31.7 mm always answering the mean." in lead(
        page
    )
    assert "In each of the 5 rows below in which it is compared, the encoder surely beats every baseline." in lead(page)
    assert 'class="lost"' not in page and "<mark>" not in page


def test_an_interval_stands_below_its_figure(page):
    assert "<strong>9.6</strong><small>8.1 to 11.2</small>" in page
    assert "<strong>0.970</strong><small>0.950 to 0.985</small>" in page


def test_the_best_of_a_row_is_bold_also_where_the_encoder_loses(tmp_path):
    metrics = METRICS | {"location_error_mm_intensities": 5.5}
    page = write_report(tmp_path, "title", {}, metrics, [], {}).read_text(encoding="utf-8")
    assert "<strong>5.5</strong>" in page and "<strong>9.6</strong>" not in page


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        ([1.0, 4.0], ["loses to: untrained encoder"]),
        ([-1.0, 4.0], ["does not surely beat: untrained encoder"]),
        ([float("nan"), float("nan")], ["does not surely beat: untrained encoder"]),
        ([-4.0, -1.0], []),
    ],
)
def test_a_row_says_what_is_not_beaten_and_whether_that_is_sure(tmp_path, difference, said):
    metrics = {"location_error_mm": 31.3, "location_error_mm_random_encoder": 31.2}
    first = rows(tmp_path, **metrics, differences={"location_error_mm_random_encoder": difference})[0]
    assert re.findall("<mark>(.*?)</mark>", first) == said
    assert ('class="lost"' in first) == (difference[0] > 0)


def test_the_rows_that_are_lost_and_those_that_are_not_sure_are_counted(tmp_path):
    metrics = {"location_r2": [0.9, 0.2, 0.5], "location_r2_random_encoder": [0.5] * 3}
    metrics["differences"] = {"location_r2_random_encoder": [[0.3, 0.5], [-0.4, -0.2], [-0.1, 0.1]]}
    found = rows(tmp_path, **metrics)
    assert [number for number, row in enumerate(found) if 'class="lost"' in row] == [3]  # y
    counted = (
        "Of the 3 rows below in which it is compared, the encoder loses to a baseline in 1, and does not surely beat"
    )
    assert f"{counted} one in 1." in lead((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_few_subjects_say_nothing_of_what_is_better(tmp_path):
    found = rows(tmp_path, location_error_mm=31.3, location_error_mm_random_encoder=11.2, subjects=3)
    assert "3 test subjects are too few to say what is better: that takes 5." in (tmp_path / "report.html").read_text(
        encoding="utf-8"
    )
    assert not any("<mark>" in row for row in found)


def test_the_head_says_what_the_page_is_of(page):
    assert "<dt>data</dt><dd>/my/scans, &lt;24&gt; scans</dd>" in page


def test_no_direction_is_good_or_bad_for_the_effective_dimension(tmp_path):
    assert not any("lost" in row for row in rows(tmp_path, rankme=3.0, rankme_random_encoder=9.0))


def test_metrics_that_are_missing_show_a_dash(tmp_path):
    cells = re.findall(r"<td[^>]*>(.*?)</td>", rows(tmp_path, location_error_mm=9.6)[0])
    assert cells[1:] == ["<strong>9.6</strong>", "–", "–", "–"]


def test_a_report_replaces_an_older_one_and_leaves_nothing_else(tmp_path):
    for title in ("first", "second"):
        path = write_report(tmp_path, title, HEAD, METRICS, [], {})
    assert "<h1>second</h1>" in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]
