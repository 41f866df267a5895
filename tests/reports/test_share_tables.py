"""Tables and figure of structure shares."""

import re
from dataclasses import replace

import numpy as np
import pytest

from scripts.reports.encoder_page import write_report
from scripts.reports.share_tables import share_figure, share_tables

pytest.importorskip("matplotlib")

HEADER = "target,layers,encoder,labelled_subjects,r2,low,high,p,p_holm,better_in,subjects,rank_biserial\n"
LINES = """\
TARGET,several,trained,5,0.85,0.83,0.87,,,,20,
TARGET,several,trained,90,0.94,0.93,0.95,,,,20,
TARGET,several,untrained,5,0.76,0.74,0.78,0.001,0.01,20,20,1.0
TARGET,several,untrained,90,0.90,0.89,0.91,0.001,0.01,20,20,1.0
TARGET,,position,5,0.87,0.85,0.88,0.002,0.02,4,20,-0.8
TARGET,,position,90,0.93,0.92,0.94,0.03,0.15,14,20,0.5
"""


@pytest.fixture
def tables(tmp_path):
    text = HEADER + LINES.replace("TARGET", "crop") + LINES.replace("TARGET", "centre")
    (tmp_path / "shares.csv").write_text(text, encoding="utf-8")
    return share_tables(tmp_path / "shares.csv", "several")


def test_each_target_has_a_table_with_a_column_for_each_number_of_subjects(tables):
    assert [(table.target, table.numbers) for table in tables] == [("crop", [5, 90]), ("centre", [5, 90])]
    encoder, *_ = tables[0].rows
    assert tables[0].is_compared(encoder)
    assert (encoder.values[90], encoder.intervals[5]) == (0.94, (0.83, 0.87))


def test_a_baseline_beats_the_encoder_is_beaten_or_neither_is_sure(tables):
    encoder, untrained, position = tables[0].rows
    assert (encoder.better, encoder.unsure) == (untrained.better, untrained.unsure) == ([], [])
    assert (position.better, position.unsure) == ([5], [90])


def test_the_page_says_so(tables, tmp_path):
    layers = {
        "several": {"location_error_mm": 4.2, "structure_share_r2": 0.94, "structure_share_r2_random_encoder": 0.9}
    }
    layers["several"] |= {"intervals": {"location_error_mm": [4.0, 4.4]}, "differences": {}}
    numbers = {"crop": {"structures": 20, "left_out": 4}, "centre": {"structures": 24, "left_out": 0}}
    metrics = {"layers": layers, "structure_share_structures": numbers}
    page = write_report(tmp_path, "Title", {}, metrics, [share_figure(tables)], {}, tables)
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert text.count("<mark>beats the encoder with 5 labelled</mark>") == 2
    assert text.count("<mark>not surely beaten with 90 labelled</mark>") == 2
    assert "<strong>0.940</strong><small>0.930 to 0.950</small>" in text
    assert (
        "with an R² of <b>0.940</b>; beside it, untrained encoder, several 0.900, position 0.930 (not surely beaten)."
        in text
    )
    assert "R² is over 20 structures together; 4 are left out" in text
    assert "R² is over 24 structures together.</small>" in text
    heads = re.search(r"Structure shares of crops \(R²\)</h2>(.*?)</tr>", text)[1]
    assert re.findall("<th>(.*?)</th>", heads) == ["", "5 labelled subjects", "90 labelled subjects"]
    table = re.search(r"What each layer knows</h2>(.*?)</table>", text)[1]
    headings = ["", "location error (mm)", "structure shares (R²)", "structure shares (R²), untrained"]
    assert re.findall("<th>(.*?)</th>", table) == headings
    assert "4.2<small>4.0 to 4.4</small>" in table and "0.900" in table


def test_a_page_without_layers_or_shares_has_no_such_tables(tmp_path):
    text = write_report(tmp_path, "Title", {}, {"rankme": 3.0}, [], {}).read_text(encoding="utf-8")
    assert "layer knows" not in text and "Structure shares" not in text


def test_any_number_of_sets_of_layers_can_be_drawn(tables):
    encoder = tables[0].rows[0]
    rows = [replace(encoder, layers=f"set {i}") for i in range(12)]
    assert len(share_figure([replace(tables[0], rows=[*tables[0].rows, *rows])]).picture.axes[0].lines) == 3 + 12


def test_the_figure_draws_what_its_data_say(tables):
    figure = share_figure(tables)
    np.testing.assert_array_equal(figure.data["crop_untrained_encoder_several"], [0.76, 0.90])
    axes = figure.picture.axes
    drawn = {line.get_label(): line.get_ydata().tolist() for line in axes[1].lines}
    assert drawn["position"] == [0.87, 0.93] and len(drawn) == 3
