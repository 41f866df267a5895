"""Synthetic bodies in several modalities."""

import json
from dataclasses import replace

import numpy as np
import pytest
from nibabel.affines import apply_affine

from scripts.data.cases import find_cases
from scripts.data.phantom import make_cohort
from scripts.data.phantom_modalities import draw_movement, render_modality
from scripts.data.phantom_scan import draw_subject, render
from scripts.errors import InputError


@pytest.fixture(scope="module")
def subject():
    """A body with large lesions in a coarse grid."""
    drawn = draw_subject(np.random.default_rng(5), "large")
    shape, axes = np.ceil(drawn.shape / 2).astype(int), drawn.affine @ np.diag([2, 2, 2, 1])
    return replace(drawn, shape=shape, affine=axes)


@pytest.fixture(scope="module")
def scans(subject):
    return {name: render_modality(subject, name, np.random.default_rng(0)) for name in ("t1", "t2", "ct")}


def test_t1_is_the_scan_of_a_cohort_of_one_modality(subject, scans):
    assert np.array_equal(scans["t1"][0], render(subject)[0])


def test_no_map_of_t1_makes_t2(subject, scans):
    t1, t2 = (scans[name][0].ravel().astype(float) for name in ("t1", "t2"))
    inside = t1 > np.percentile(t1, 60)
    bins = np.digitize(t1[inside], np.quantile(t1[inside], np.linspace(0, 1, 64)[1:-1]))
    means = np.bincount(bins, t2[inside]) / np.bincount(bins)
    assert 1 - np.var(t2[inside] - means[bins]) / np.var(t2[inside]) < 0.7


def test_lesions_are_bright_in_t2(subject, scans):
    mask, (t2, _) = render(subject)[1] > 0, scans["t2"]
    assert t2[mask].mean() > np.percentile(t2[t2 > np.percentile(t2, 60)], 75)


def test_ct_is_in_hounsfield_units_and_in_a_grid_of_its_own(subject, scans):
    ct, affine = scans["ct"]
    assert np.percentile(ct, 5) == pytest.approx(-1000, abs=40) and 300 < np.percentile(ct, 99.9) < 900
    assert not np.allclose(affine, subject.affine)
    spine = apply_affine(subject.pose, subject.organs[14].centre)
    assert ct[tuple(np.round(apply_affine(np.linalg.inv(affine), spine)).astype(int))] > 300


def test_a_body_that_moved_is_where_its_movement_says(subject):
    movement = draw_movement(np.random.default_rng(3), subject)
    assert 3 <= np.linalg.norm(apply_affine(movement, subject.pose[:3, 3]) - subject.pose[:3, 3]) <= 8
    (still, affine), (moved, _) = (
        render_modality(subject, "ct", np.random.default_rng(0), place) for place in (None, movement)
    )
    places = np.stack(np.meshgrid(*map(np.arange, still.shape), indexing="ij"), -1)
    middles = [apply_affine(affine, places[ct > -500]).mean(0) for ct in (still, moved)]
    assert np.allclose(apply_affine(movement, middles[0]), middles[1], atol=0.5)


@pytest.mark.usefixtures("unseen_bodies")
def test_a_cohort_of_several_modalities_lacks_the_last_one_of_some(tmp_path, caplog):
    folder = make_cohort(tmp_path / "cohort", subjects=3, modalities=["t1", "ct"], moved=["ct"])
    cases = find_cases(folder, None, tmp_path / "made", tmp_path / "converted")
    assert [sorted(case["modalities"]) for case in cases] == [["ct", "t1"], ["ct", "t1"], ["t1"]]
    assert {case["subject"] for case in cases} == {"phantom_000", "phantom_001", "phantom_002"}
    assert all("label" in case for case in cases)
    movements = json.loads((folder / "movements.json").read_text())
    assert [list(movements[case["subject"]]) for case in cases] == [["ct"], ["ct"], []]


def test_there_are_no_other_modalities(tmp_path):
    with pytest.raises(InputError, match="no modalities called mr: give some of t1, t2, ct"):
        make_cohort(tmp_path / "cohort", modalities=["mr"])
