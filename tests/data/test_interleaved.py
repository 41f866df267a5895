"""Scans of one subject are apart."""

from scripts.data.interleaved import interleaved


def scans(*names):
    return [{"subject": name[0], "image": name} for name in names]


def order(*names):
    return [scan["image"] for scan in interleaved(scans(*names))]


def test_batches_of_a_cohort_that_is_sorted_by_path_are_of_different_subjects():
    mixed = order(*(f"{subject}{number}" for subject in "ABCD" for number in range(4)))
    assert [{name[0] for name in mixed[first : first + 4]} for first in range(0, 16, 4)] == 4 * [set("ABCD")]


def test_a_subject_of_many_scans_begins_with_the_others():
    assert order("A1", "A2", "A3", "B1", "B2", "C1") == ["A1", "B1", "C1", "A2", "B2", "A3"]


def test_one_scan_a_subject_keeps_its_order():
    assert order("C1", "A1", "B1") == ["C1", "A1", "B1"]
