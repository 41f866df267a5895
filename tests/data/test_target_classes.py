"""Crops are told apart by the classes of label maps and the background, or by the classes of subjects."""

import numpy as np
import pytest

from scripts.data.outcome import Outcome
from scripts.data.structures import Structures
from scripts.data.target_classes import (
    lesion_or_none,
    scans_of_classes,
    scans_of_two,
    scans_with_classes,
    target_classes,
    with_background,
)
from scripts.errors import InputError

NONE = np.empty((3, 0))
SICK = Outcome("sick", ["A", "B", "C"], np.array([0, 1, 1]), ("no", "yes"), None, NONE)


def test_the_background_is_the_first_class():
    classes = with_background(Structures(("kidneys", "liver"), ((2, 3), (7,))))
    assert (classes.names, classes.values) == (("background", "kidneys", "liver"), ((0,), (2, 3), (7,)))


def test_a_class_cannot_be_called_background():
    with pytest.raises(InputError, match="is called background"):
        with_background(Structures(("background",), ((1,),)))


@pytest.mark.parametrize("name", ["image", "subject", "scan", "class", "score", "likeliest", "attended", "patches"])
def test_a_class_cannot_be_called_as_a_column_is(name):
    with pytest.raises(InputError, match=f"A class is called {name}, as another column"):
        with_background(Structures(("liver", name), ((1,), (2,))))
    with pytest.raises(InputError, match=f"A class is called {name}, as another column"):
        target_classes(Outcome("sick", ["A", "B", "C"], np.array([0, 1, 1]), ("no", name), None, NONE))


def test_classes_of_subjects_have_values_above_0():
    classes = target_classes(SICK)
    assert (classes.names, classes.values) == (("no", "yes"), ((1,), (2,)))


def test_a_quantity_has_the_classes_of_its_threshold():
    age = Outcome("age", ["A", "B", "C"], np.array([30.0, 60, 70]), (), 50.0, NONE)
    assert target_classes(age).names == ("up to 50", "above 50")
    assert [scan["class_label"] for scan in scans_with_classes([{"subject": "B"}, {"subject": "A"}], age)] == [1, 0]


def test_a_quantity_without_a_threshold_is_refused():
    with pytest.raises(InputError, match="age is no class: give kind binary or classes, or a threshold"):
        target_classes(Outcome("age", ["A", "B", "C"], np.arange(3.0), (), None, NONE))


def test_all_scans_of_a_subject_have_its_class():
    scans = [{"subject": name, "scan": number} for number, name in enumerate("BAB")]
    found = scans_with_classes(scans, SICK)
    assert [(scan["scan"], scan["class_label"]) for scan in found] == [(0, 1.0), (1, 0.0), (2, 1.0)]


def in_table(**values):
    return [{"subject": name, "table": {"grade": value}} for name, value in values.items()]


def test_scans_that_are_judged_have_the_numbers_that_weights_know():
    known = Structures(("mild", "moderate", "severe"), ((1,), (2,), (3,)))
    scans = scans_of_classes(in_table(A="severe", B="mild"), "grade", known)
    assert [scan["class_label"] for scan in scans] == [2.0, 0.0]
    with pytest.raises(InputError, match=r"By grade, C \(unknown\) are of no class"):
        scans_of_classes(in_table(A="mild", C="unknown"), "grade", known)


@pytest.mark.parametrize("names", [("no", "yes"), ("up to 3", "above 3")])
def test_scans_that_are_judged_are_above_the_threshold_of_training_or_not(names):
    two = Structures(names, ((1,), (2,)))
    scans = scans_of_classes(in_table(A="3.5", B="3"), "grade", two, 3)
    assert [scan["class_label"] for scan in scans] == [1.0, 0.0]


def test_masks_do_not_tell_several_classes():
    three = Structures(("mild", "moderate", "severe"), ((1,), (2,), (3,)))
    with pytest.raises(InputError, match=r"give evaluate_outcomes\.json"):
        scans_of_two([], three)


def test_whose_lesions_are_taken_for_a_class_of_a_table_is_told(caplog):
    scans_of_two([], lesion_or_none())
    assert not caplog.records
    scans_of_two([], Structures(("no", "yes"), ((1,), (2,))))
    assert "taken to be of the class yes: if it is not, give evaluate_outcomes.json" in caplog.text
