"""A page to check landmarks by: each where it was found, beside where it was marked, the least sure first."""

import math
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data.landmarks import Landmark, MarkedScan, landmark_names
from ..errors import some
from ..landmarks.found_landmark import FoundLandmark
from .page import write_page
from .point_planes import Place, extent_mm, planes_through
from .scan_figure import PLANES

__all__ = ["write_landmark_page"]

SHOWN = 60  # landmarks, of the page
WINDOW_MM = 160.0  # side of a picture, at most: a head


@dataclass(frozen=True)
class Line:
    """A landmark in all scans; medians of those in which it was found, None where there are none."""

    name: str
    found: int
    scans: int
    not_in: str
    confidence: float | None
    expected_error_mm: float | None


def write_landmark_page(path: Path, found: Sequence[FoundLandmark], marked: Sequence[MarkedScan]) -> None:
    """Write a page with a table of all landmarks, then pictures of those that are the least sure, and of other marks.

    Args:
        path: of the page.
        found: each landmark in each scan.
        marked: where they are marked; the first scan that has a landmark is shown beside what was found. Marks that
            are not shown there are shown at the end.
    """
    there = sorted((one for one in found if one.point is not None), key=_confidence)
    shown = there[:SHOWN]
    others = _other_marks({one.name for one in shown}, marked)
    scans = list(dict.fromkeys(one.scan for one in found))
    folder = os.path.commonpath([os.path.dirname(os.path.abspath(scan)) for scan in scans]) if scans else ""
    facts = {"scans": f"{len(scans)}, of {folder}", "marked in": some(scan.image for scan in marked)}
    write_page(
        path,
        "landmarks.html",
        [],
        {},
        title="Landmarks, found again",
        facts=facts,
        lines=[_line(name, found, folder) for name in landmark_names(marked)],
        rows=_rows(shown, marked, folder),
        marks=_mark_rows(others[:SHOWN]),
        other_marks=len(others),
        there=len(there),
        sought=len(found),
        edges={plane: PLANES[plane] for plane in ("axial", "coronal", "sagittal")},
    )


def _confidence(found: FoundLandmark) -> float:
    return -1 if math.isnan(found.confidence) else found.confidence


def _line(name: str, found: Sequence[FoundLandmark], folder: str) -> Line:
    of_name = [one for one in found if one.name == name]
    there = [one for one in of_name if one.point is not None]
    not_in = some(os.path.relpath(one.scan, folder) for one in of_name if one.point is None)
    confidence = _median([one.confidence for one in there if not math.isnan(one.confidence)])
    error = _median([one.expected_error_mm for one in there if one.expected_error_mm is not None])
    return Line(name, len(there), len(of_name), not_in, confidence, error)


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def _rows(shown: Sequence[FoundLandmark], marked: Sequence[MarkedScan], folder: str) -> list[dict]:
    """What the template tells of each landmark: where it was found and where it was marked, with pictures of both."""
    marks = {one.name: _first_mark(one.name, marked) for one in shown}
    sides = {scan: _side_mm(scan) for scan, _ in marks.values()}
    there = [Place(scan, mark.point, sides[scan]) for scan, mark in marks.values()]
    here = [Place(one.scan, _point(one), sides[marks[one.name][0]]) for one in shown]
    pictures = planes_through([*there, *here])
    at_mark = dict(zip(marks, there, strict=True))
    return [
        {
            "found": one,
            "confidence": None if math.isnan(one.confidence) else one.confidence,
            "scan": os.path.relpath(one.scan, folder),
            "marked_scan": Path(at_mark[one.name].scan).name,
            "side_mm": place.side_mm,
            "box": _shares(marks[one.name][1], place.side_mm),
            "pictures": [("found", pictures[place]), ("marked", pictures[at_mark[one.name]])],
        }
        for one, place in zip(shown, here, strict=True)
    ]


def _other_marks(shown: Collection[str], marked: Sequence[MarkedScan]) -> list[tuple[str, Landmark]]:
    """All marks but the first of each landmark that is shown: those of landmarks of which none is shown come first."""
    marks = [(scan.image, mark) for scan in marked for mark in scan.landmarks]
    beside = [_first_mark(name, marked) for name in shown]
    return sorted((mark for mark in marks if mark not in beside), key=lambda mark: mark[1].name in shown)


def _mark_rows(marks: Sequence[tuple[str, Landmark]]) -> list[dict]:
    """What the template tells of marks beside which nothing that was found is shown."""
    sides = {scan: _side_mm(scan) for scan, _ in marks}
    places = [Place(scan, mark.point, sides[scan]) for scan, mark in marks]
    pictures = planes_through(places)
    return [
        {
            "name": mark.name,
            "marked_scan": Path(scan).name,
            "side_mm": place.side_mm,
            "box": _shares(mark, place.side_mm),
            "pictures": pictures[place],
        }
        for (scan, mark), place in zip(marks, places, strict=True)
    ]


def _point(found: FoundLandmark) -> tuple[float, float, float]:
    assert found.point is not None  # of those that are shown
    return found.point


def _first_mark(name: str, marked: Sequence[MarkedScan]) -> tuple[str, Landmark]:
    return next((scan.image, mark) for scan in marked for mark in scan.landmarks if mark.name == name)


def _side_mm(scan: str) -> float:
    """Of pictures, so that small scans fill theirs."""
    try:
        return min(WINDOW_MM, extent_mm(scan))
    except Exception:  # the pictures themselves will tell that it cannot be read
        return WINDOW_MM


def _shares(mark: Landmark, side_mm: float) -> list[tuple[float, float] | None]:
    """Width and height of a landmark's box in each plane, in percent of the picture; a point has none."""
    if mark.size is None:
        return [None] * 3
    x, y, z = (min(100.0, 100 * size / side_mm) for size in mark.size)
    return [(x, y), (x, z), (y, z)]
