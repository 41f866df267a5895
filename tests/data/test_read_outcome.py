"""A column is a class or a quantity, as is said, or as is plain; what is neither is asked about."""

import numpy as np
import pytest

from scripts.data.read_outcome import columns_of, read_outcome
from scripts.errors import InputError

AGES = [f"{20 + 2.5 * number}" for number in range(12)]


def outcome(texts, kind=None, threshold=None, events=None, **covariates):
    columns = {"it": texts, **({} if events is None else {"death": events}), **covariates}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    scans = [{"subject": f"s{number:02}", "table": row} for number, row in enumerate(rows)]
    return read_outcome(scans, "it", kind, threshold, None if events is None else "death", list(covariates))


def test_texts_are_classes_in_the_order_of_their_names():
    found = outcome(["b", "a", "c"] * 3)
    assert found.classes == ("a", "b", "c") and found.target.tolist() == [1, 0, 2] * 3


def test_few_numbers_are_classes_in_their_own_order_however_they_are_written():
    found = outcome(["10", "9", "9.0"] * 3)
    assert found.classes == ("9", "10") and found.class_of.tolist() == [1, 0, 0] * 3


def test_many_numbers_are_asked_about():
    with pytest.raises(InputError, match=r"it has 12 different numbers .* give kind regression, or classes if"):
        outcome(AGES)


def test_a_quantity_is_its_numbers():
    found = outcome(AGES, "regression")
    assert found.classes == () and found.class_of is None and found.target.tolist() == [float(age) for age in AGES]


def test_a_threshold_makes_two_classes_beside_a_quantity():
    found = outcome(AGES, threshold=32.5)
    assert found.target[:2].tolist() == [20, 22.5] and found.class_of.tolist() == [0] * 6 + [1] * 6


def test_a_threshold_makes_two_classes_of_a_column_where_a_class_is_asked_for():
    found = outcome(AGES, "classes", 32.5)
    assert (found.name, found.classes) == ("it above 32.5", ("no", "yes"))
    assert found.target.tolist() == [0] * 6 + [1] * 6


@pytest.mark.parametrize(
    ("texts", "kind", "threshold", "sentence"),
    [
        (["a", "1.5"] * 3, "regression", None, "it of s00 is a, which is no number: correct it, or give another kind"),
        (["inf", "1.5"] * 3, "regression", None, "it of s00 is inf, which is no number"),
        (["2"] * 6, "regression", None, "it is 2 for all subjects"),
        (["a"] * 6, None, None, "it is a for all subjects"),
        (["a"] * 6 + ["b"] * 2, None, None, "Of subjects with b as it there are 2: a class needs 3 at least"),
        (AGES, None, 60, "Of subjects with above 60 as it there are 0: a class needs 3 at least"),
    ],
)
def test_what_cannot_be_predicted_is_refused(texts, kind, threshold, sentence):
    with pytest.raises(InputError, match=sentence):
        outcome(texts, kind, threshold)


def test_covariates_are_numbers_or_a_column_for_each_text():
    found = outcome(["a", "b"] * 3, age=["1", "2.5", "3", "4", "5", "6"], sex=["M", "F"] * 3)
    assert found.covariates[:2].tolist() == [[1, 0, 1], [2.5, 1, 0]]


def test_several_scans_of_a_subject_are_one():
    scans = [{"subject": name, "table": {"it": "ab"[number % 2]}} for number, name in enumerate("abcdef")]
    assert read_outcome(scans * 2, "it").subject == list("abcdef")


def test_every_fold_has_its_share_of_each_class():
    found = outcome(["a"] * 20 + ["b"] * 10)
    folds = found.folds(5, seed=3)
    for fold in range(5):
        assert np.bincount(found.target[folds == fold]).tolist() == [4, 2]


def test_every_fold_has_one_of_the_smallest_and_one_of_the_largest():
    found = outcome([str(number * 1.5) for number in range(20)], "regression")
    folds = found.folds(5, seed=3)
    assert all(sorted(folds[start : start + 5]) == list(range(5)) for start in range(0, 20, 5))
    assert folds.tolist() != found.folds(5, seed=4).tolist()


def test_more_folds_than_subjects_are_refused():
    with pytest.raises(InputError, match="12 subjects cannot be cross-validated in 13 folds"):
        outcome(AGES, "regression").folds(13, seed=0)


def test_a_covariate_of_numbers_and_texts_is_refused():
    ages = ["61", "unknown", "70", "?", "unknown", "55"]
    sentence = (
        r"age has numbers and, of 3 subjects, \?, unknown: write n/a where it is not known or, if all are classes"
    )
    with pytest.raises(InputError, match=sentence):
        outcome(["a", "b"] * 3, age=ages)


def test_an_outcome_of_numbers_and_texts_is_of_classes_only_if_that_is_said():
    texts = ["0", "1", "unknown"] * 3
    with pytest.raises(
        InputError, match=r"it has numbers and, of 3 subjects, unknown: write n/a .* or give kind classes"
    ):
        outcome(texts)
    assert outcome(texts, "classes").classes == ("0", "1", "unknown")


def test_how_many_subjects_each_class_has_is_told(caplog):
    caplog.set_level("INFO")
    outcome(AGES, threshold=25)
    assert "Subjects by it: 3 up to 25, 9 above 25." in caplog.text
    outcome(["ill"] * 4 + ["well"] * 5)
    assert "Subjects by it: 4 ill, 5 well." in caplog.text


TIMES = [f"{number + 0.5}" for number in range(9)]


@pytest.mark.parametrize("kind", [None, "survival"])
def test_a_time_and_whether_it_is_that_of_an_event_are_survival(kind):
    found = outcome(TIMES, kind, events=["1", "0", "1.0"] * 3)
    assert found.target.tolist() == [float(time) for time in TIMES] and found.event.tolist() == [True, False, True] * 3
    assert found.classes == () and not found.is_quantity and found.class_of is None


def test_every_fold_has_its_share_of_events():
    found = outcome([f"{number + 1}" for number in range(30)], events=["1"] * 10 + ["0"] * 20)
    folds = found.folds(5, seed=0)
    assert [int(found.event[folds == fold].sum()) for fold in range(5)] == [2] * 5


@pytest.mark.parametrize(
    ("times", "events", "kind", "threshold", "sentence"),
    [
        (["0", *TIMES[1:]], ["1"] * 9, None, None, r"it, a time to an event, is not above 0 of s00 \(0\): correct it"),
        (TIMES, ["2", "1", "yes"] * 3, None, None, r"death is neither 0 nor 1 of s00 \(2\), s02 \(yes\)"),
        (TIMES, ["1", "1", *["0"] * 7], None, None, "Of 9 subjects, 2 have an event: 3 at least are needed"),
        (TIMES, None, "survival", None, "kind survival needs event: the column that is 1"),
        (TIMES, ["1"] * 9, "regression", None, "event death is of kind survival, and kind regression is not"),
        (TIMES, ["1"] * 9, "survival", 3.0, "event death is of kind survival, and threshold 3 is not"),
    ],
)
def test_survival_that_cannot_be_predicted_is_refused(times, events, kind, threshold, sentence):
    with pytest.raises(InputError, match=sentence):
        outcome(times, kind, threshold, events)


def test_binary_is_of_two_values():
    assert outcome(["1", "0"] * 3, "binary").classes == ("0", "1")
    with pytest.raises(InputError, match=r"it has 3 different values \(a, b, c\), and kind binary needs two"):
        outcome(["a", "b", "c"] * 3, "binary")


def test_one_value_for_all_is_no_class_whatever_the_kind():
    for kind in (None, "binary", "classes"):
        with pytest.raises(InputError, match="it is a for all subjects: give target a column that differs"):
            outcome(["a"] * 6, kind)


def test_columns_are_those_that_are_predicted_from_and_of():
    assert columns_of("time", "death", ["age"]) == ["time", "death", "age"]
    with pytest.raises(InputError, match="No target is given"):
        columns_of("null")
