"""A page of landmarks shows the least sure first, each beside where it was marked."""

import math
import re

import pytest

from scripts.data.landmarks import Landmark, MarkedScan
from scripts.landmarks.found_landmark import FoundLandmark
from scripts.reports import landmark_page
from scripts.reports.landmark_page import write_landmark_page

TIP, BOX = Landmark("<tip>", (0.0, 0, 0)), Landmark("box", (0.0, 0, 0), (20, 10, 15))


@pytest.fixture
def scans(write_scan, tmp_path):
    """Paths of a scan with marks, and of two others."""
    return [str(write_scan(tmp_path / "in" / name / "scan.nii.gz", seed=seed)) for seed, name in enumerate("abc")]


@pytest.fixture
def page(scans, tmp_path):
    """A function: text of the page of what was found, TIP and BOX being marked in the first scan."""

    def write(*found):
        write_landmark_page(tmp_path / "landmarks.html", found, [MarkedScan(scans[0], (TIP, BOX))])
        return (tmp_path / "landmarks.html").read_text(encoding="utf-8")

    return write


def sections(text):
    """What is told of each landmark that is shown, without tags."""
    parts = re.findall(r'<section class="landmark">(.*?)</section>', text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", part).split()) for part in parts]


def cells(text):
    """Of the table, by its first cell."""
    rows = re.findall(r"<tr><td>(.*?)</td>(.*?)</tr>", text, re.DOTALL)
    return {first: re.findall(r"<td[^>]*>(.*?)</td>", rest) for first, rest in rows}


def test_the_least_sure_come_first(page, scans):
    text = page(
        FoundLandmark(scans[1], "<tip>", (1.0, 2.0, 3.0), 0.9, 2.0),
        FoundLandmark(scans[1], "box", (1.0, 2.0, 3.0), 0.4, 9.0),
        FoundLandmark(scans[2], "<tip>", (1.04, 2.06, 3.0), 0.1, 30.0),
        FoundLandmark(scans[2], "box", None, 0.01, None, "not in this scan"),
    )
    tip, box, sure = sections(text)
    assert tip.startswith("&lt;tip&gt; in c/scan.nii.gz confidence 0.100 , expected error 30.0 mm")
    assert f"found at 1.0, 2.1, 3.0 mm; {landmark_page.extent_mm(scans[0]):.0f} mm wide" in tip
    assert "marked in scan.nii.gz" in tip
    assert box.startswith("box in b/scan.nii.gz") and sure.startswith("&lt;tip&gt; in b/scan.nii.gz")
    assert text.count("data:image/png") == 3 * 6


def test_the_table_counts_scans_and_has_medians_of_those_in_which_a_landmark_was_found(page, scans):
    text = page(
        FoundLandmark(scans[1], "<tip>", (1.0, 2.0, 3.0), 0.9, 2.0),
        FoundLandmark(scans[2], "<tip>", (1.0, 2.0, 3.0), 0.5, 4.0),
        FoundLandmark(scans[1], "box", None, 0.1, None),
        FoundLandmark(scans[2], "box", (1.0, 2.0, 3.0), 0.4, None),
    )
    table = cells(text)
    assert table["&lt;tip&gt;"] == ["2 of 2 scans", "0.700", "3.0"]
    assert table["box<small>not in b/scan.nii.gz</small>"] == ["1 of 2 scans", "0.400", "–"]


def test_of_many_the_surer_ones_are_not_shown_and_it_is_said_how_many(page, scans, monkeypatch):
    monkeypatch.setattr(landmark_page, "SHOWN", 2)
    text = page(*(FoundLandmark(scans[1], "box", (1.0, 2.0, 3.0), sure / 10, None) for sure in (7, 3, 5)))
    assert ["0.300" in sections(text)[0], "0.500" in sections(text)[1], len(sections(text))] == [True, True, 2]
    assert "2 of the 3 that were found are shown; 1," in text


def test_a_box_is_outlined_in_both_scans_and_a_point_is_not(page, scans):
    text = page(FoundLandmark(scans[1], "box", (1.0, 2.0, 3.0), 0.5))
    side = landmark_page.extent_mm(scans[0])
    widths = [float(width) for width in re.findall(r'<s style="width: ([\d.]+)%', text)]
    assert widths == pytest.approx([100 * size / side for size in (20, 20, 10)] * 2, abs=0.1)
    tip, _ = page(FoundLandmark(scans[1], "<tip>", (1.0, 2.0, 3.0), 0.5)).split("Other marks")
    assert "<s " not in tip


def test_one_whose_confidence_is_not_known_is_the_least_sure(page, scans):
    text = page(
        FoundLandmark(scans[1], "<tip>", (1.0, 2.0, 3.0), 0.0),
        FoundLandmark(scans[1], "box", (1.0, 2.0, 3.0), math.nan),
    )
    assert sections(text)[0].startswith("box in scan.nii.gz confidence –")


def test_where_nothing_was_found_there_is_a_page_that_says_so(page, scans):
    text = page(FoundLandmark(scans[1], "<tip>", None, 0.1), FoundLandmark(scans[1], "box", None, 0.1))
    assert "0 of 2 landmarks were found." in text and not sections(text)


def test_a_scan_that_is_gone_leaves_the_page_without_its_pictures(page, scans):
    text = page(FoundLandmark(scans[1] + "gone", "box", (1.0, 2.0, 3.0), 0.5))
    assert "which cannot be read" in text and text.count("data:image/png") == 2 * 3  # both marks


def marks(text):
    """What is told of each mark that is shown apart."""
    return re.findall(r'<section class="landmark mark"><h3>(.*?) <small>(.*?)</small>.*?</section>', text, re.DOTALL)


def test_marks_of_landmarks_that_were_found_nowhere_are_shown_too(page, scans):
    text = page(FoundLandmark(scans[1], "<tip>", None, 0.1), FoundLandmark(scans[1], "box", None, 0.1))
    assert marks(text) == [("&lt;tip&gt;", "marked in scan.nii.gz"), ("box", "marked in scan.nii.gz")]
    assert text.count("data:image/png") == 2 * 3


def test_each_mark_of_several_scans_is_shown_once(scans, tmp_path):
    marked = [MarkedScan(scans[0], (TIP, BOX)), MarkedScan(scans[2], (TIP,))]
    write_landmark_page(tmp_path / "page.html", [FoundLandmark(scans[1], "<tip>", (1.0, 2.0, 3.0), 0.5)], marked)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert [name for name, _ in marks(text)] == ["box", "&lt;tip&gt;"] and text.count("data:image/png") == 4 * 3


def test_of_many_marks_it_is_said_how_many_are_shown(page, scans, monkeypatch):
    monkeypatch.setattr(landmark_page, "SHOWN", 1)
    text = page(FoundLandmark(scans[1], "<tip>", None, 0.1))
    assert len(marks(text)) == 1 and "1 of 2 marks that are not" in " ".join(text.split())
