"""Means over scans, with intervals over subjects."""

import pytest
import torch

from scripts.metrics.subject_means import subject_means


def scores_of(number, scans=1):
    values = torch.randn(number).tolist()
    return [f"S{i}" for i in range(number) for _ in range(scans)], [{"mae": x} for x in values for _ in range(scans)]


def test_an_interval_of_a_mean_holds_it_and_is_about_two_standard_errors_wide_on_either_side():
    subjects, scores = scores_of(200)
    found = subject_means(subjects, scores)
    values = torch.tensor([one["mae"] for one in scores])
    assert found["mae"] == pytest.approx(float(values.mean()), abs=1e-6)
    half = 1.96 * float(values.std()) / 200**0.5
    assert found["mae_low"] == pytest.approx(found["mae"] - half, abs=0.2 * half)
    assert found["mae_high"] == pytest.approx(found["mae"] + half, abs=0.2 * half)


def test_scans_of_a_subject_are_drawn_together():
    torch.manual_seed(1)
    once = subject_means(*scores_of(9))
    torch.manual_seed(1)
    assert subject_means(*scores_of(9, scans=3)) == pytest.approx(once)


def test_four_subjects_have_no_interval():
    assert subject_means(*scores_of(4)).keys() == {"mae"}


def test_what_no_scan_has_is_none():
    assert subject_means(["A", "B"], [{"mae_bone": float("nan")}] * 2) == {"mae_bone": None}
