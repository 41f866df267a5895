import base64
import csv
import io
import json
import re
from html import unescape

import numpy as np
import pytest

from scripts.reports.encoder_table import write_report
from scripts.reports.figures import embedding_map_2d, scan_map

pytest.importorskip("matplotlib")

METRICS = {
    "location_error_mm": 9.64,
    "location_error_mm_random_encoder": 31.2,
    "location_error_mm_intensities": 27.9,
    "location_error_mm_mean_position": 62.4,
    "location_error_mm_axes": [4.1, 5.2, np.float32(5.5)],
    "location_error_mm_axes_random_encoder": np.array([12.2, 18.3, 19.0]),
    "location_r2": 0.96,
    "location_r2_random_encoder": 0.55,
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
}


@pytest.fixture(scope="module")
def drawn():
    location = np.random.RandomState(0).uniform(-80, 80, (20, 3))
    nothing = np.zeros((4, 4, 4))
    return [
        embedding_map_2d("map", "A <map>", 'Near & far "places".', location[:, :2], location),
        scan_map(nothing, np.stack([nothing] * 3), 2.0),
    ]


@pytest.fixture(scope="module")
def folder(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "new"
    write_report(folder, "<b>Title</b>", METRICS, drawn, {"seed": 7, "patch": "<i>32</i>"}, "a <log>")
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "report.html").read_text()


def rows(tmp_path, **metrics):
    """The HTML of the rows of the table of results."""
    text = write_report(tmp_path, "Title", metrics, [], {}).read_text()
    return re.findall(r"<tr.*?</tr>", text, re.DOTALL)[1:]


def test_every_metric_is_on_the_page(page):
    details = unescape(re.search(r"All metrics</summary><pre>(.*?)</pre>", page, re.DOTALL)[1])
    assert json.loads(details).keys() == METRICS.keys()
    table = re.sub("</?strong>", "", re.search(r"<table>.*</table>", page, re.DOTALL)[0])
    for key in METRICS.keys() - {"subjects", "crops", "frame"}:
        for value in np.ravel(METRICS[key]):
            assert f"<td>{value:.3f}</td>" in table or f"<td>{value:.1f}</td>" in table, key


def test_every_figure_is_on_the_page_and_in_a_file(page, folder):
    for name in ("map", "scan"):
        png = (folder / "figures" / f"{name}.png").read_bytes()
        assert png.startswith(b"\x89PNG")
        assert base64.b64encode(png).decode() in page


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
    for text in ("<b>Title", "<map>", '"places"', "<i>32", "<log>"):
        assert text not in page
    for text in ("&lt;b&gt;Title", "A &lt;map&gt;", "Near &amp; far", "&lt;i&gt;32", "a &lt;log&gt;"):
        assert text in page


def lead(page):
    """The findings at the top of a page, in one line."""
    return " ".join(re.search(r'class="lead">(.*?)</p>', page, re.DOTALL)[1].split())


def test_findings_stand_beside_their_baselines(page):
    assert "<b>9.6 mm</b> (31.2 mm with an untrained encoder, 27.9 mm with raw intensities, 62.4 mm always" in lead(
        page
    )
    assert "<b>6.3 mm</b> (48.9 mm with an untrained encoder, 31.7 mm always answering the mean)" in lead(page)
    assert "In none of the rows" in lead(page)
    assert 'class="lost"' not in page


@pytest.mark.parametrize("own", [31.3, 31.2, float("nan")])
def test_a_row_that_does_not_beat_the_untrained_encoder_says_so(tmp_path, own):
    metrics = {"location_error_mm": own, "location_error_mm_random_encoder": 31.2, "location_error_mm_intensities": 99}
    first = rows(tmp_path, **metrics)[0]
    assert 'class="lost"' in first
    assert ("does not beat: untrained encoder<" in first) == (own == own)
    assert "In 1 of the 1 rows" in (tmp_path / "report.html").read_text()


def test_only_the_axis_that_loses_is_marked(tmp_path):
    lost = [row for row in rows(tmp_path, location_r2=[0.9, 0.2, 0.9], location_r2_random_encoder=0.5) if "lost" in row]
    assert len(lost) == 1
    assert "y, back to front" in lost[0]


def test_no_direction_is_good_or_bad_for_the_effective_dimension(tmp_path):
    assert not any("lost" in row for row in rows(tmp_path, rankme=3.0, rankme_random_encoder=9.0))


def test_metrics_that_are_missing_show_a_dash(tmp_path):
    cells = re.findall(r"<td>(.*?)</td>", rows(tmp_path, location_error_mm=9.6)[0])
    assert cells[1:] == ["<strong>9.6</strong>", "–", "–", "–"]


def test_a_report_replaces_an_older_one_and_leaves_nothing_else(tmp_path):
    for title in ("first", "second"):
        path = write_report(tmp_path, title, METRICS, [], {})
    assert "<h1>second</h1>" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]
