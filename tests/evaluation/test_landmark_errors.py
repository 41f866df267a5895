"""Errors of landmarks in one figure a scan, and what a confidence says of them."""

import numpy as np
import pytest

from scripts.evaluation.landmark_errors import LandmarkError, calibrate, landmark_metrics


def test_every_scan_counts_the_same_and_what_was_not_found_is_counted_apart():
    errors = [
        LandmarkError("one", "heart", 0.9, 2.0, 8.0),
        LandmarkError("one", "liver", 0.9, 4.0, 12.0),
        LandmarkError("two", "heart", 0.8, 9.0, 20.0),
        LandmarkError("two", "liver", 0.1, float("nan"), 99.0),
    ]
    assert landmark_metrics(errors) == pytest.approx(
        {"landmark_error_mm": 6.0, "landmark_error_mm_box": 15.0, "not_found": 0.25, "scans": 2}
    )


def test_expected_errors_are_those_that_were_measured_and_never_rise_with_confidence():
    draw = np.random.RandomState(0)
    confidence = draw.uniform(0.4, 1, 2000)
    off = (12 - 10 * confidence) * draw.exponential(1, 2000)
    steps = calibrate([LandmarkError("scan", "x", c, e, 0) for c, e in zip(confidence, off, strict=True)])
    known, expected = np.array(steps).T
    assert (np.diff(known) > 0).all() and (np.diff(expected) <= 0).all()
    assert np.abs(expected - (12 - 10 * known)).max() < 1


def test_a_handful_of_landmarks_calibrates_nothing():
    assert calibrate([LandmarkError("scan", "x", 0.5 + i / 100, 1.0, 0.0) for i in range(19)]) == []
