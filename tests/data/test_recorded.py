"""A recorded split knows scans by their content, and subjects by their names where that is all there is."""

import json

import pytest

from scripts.data.recorded import known_parts
from scripts.data.split import check_split, recorded_split, split_scans, unseen_scans, write_split
from scripts.errors import InputError


def scan(subject, mark):
    return {"image": f"/{subject}.nii", "subject": subject, "fingerprint": mark}


@pytest.fixture
def record(tmp_path):
    """A split.json: Ann (a, b) and Ben (c) were trained on, Cleo (d) validated, Dan (e) tested."""
    parts = {"train": [scan("Ann", "a"), scan("Ann", "b"), scan("Ben", "c")]}
    parts |= {"validate": [scan("Cleo", "d")], "test": [scan("Dan", "e")]}
    write_split(parts, tmp_path / "split.json")
    return tmp_path / "split.json"


def test_a_split_keeps_the_scans_of_each_subject(record):
    assert json.loads(record.read_text(encoding="utf-8")) == {
        "train": ["Ann", "Ben"],
        "validate": ["Cleo"],
        "test": ["Dan"],
        "fingerprints": {"Ann": ["a", "b"], "Ben": ["c"], "Cleo": ["d"], "Dan": ["e"]},
    }


def test_the_same_scan_under_another_name_is_recognised(record):
    assert known_parts([scan("P1", "b"), scan("P2", "d"), scan("P3", "e"), scan("P4", "x")], record) == [
        *("train", "validate", "test", None)
    ]


def test_other_people_of_the_same_names_are_not_and_that_is_said(record, caplog):
    scans = [scan("Ann", "x"), scan("Ben", "y"), scan("Cleo", "z"), scan("Dan", "w")]
    assert known_parts(scans, record) == 4 * [None]
    assert "same names (Ann, Ben, Cleo and 1 more)" in caplog.text and "--known_by names" in caplog.text


def test_a_new_session_of_a_known_subject_is_known_where_its_cohort_is(record):
    assert known_parts([scan("Ann", "a"), scan("Ben", "new")], record) == ["train", "train"]


def test_another_scan_of_a_renamed_subject_is_known_with_it(record):
    assert known_parts([scan("P1", "a"), scan("P1", "new"), scan("P2", "newer")], record) == ["train", "train", None]


def test_of_a_subject_with_scans_of_two_parts_the_rest_counts_as_trained_on(record):
    assert known_parts([scan("P", "e"), scan("P", "d"), scan("P", "new")], record) == ["test", "validate", "validate"]


def test_names_alone_can_be_asked_for(record):
    assert known_parts([scan("Ann", "x"), scan("P", "a")], record, "names") == ["train", None]


def test_another_way_to_know_a_scan_is_refused(record):
    with pytest.raises(InputError, match="known_by is nose: give one of content, names"):
        known_parts([scan("Ann", "x")], record, "nose")


def test_an_older_record_goes_by_names(record):
    content = json.loads(record.read_text(encoding="utf-8"))
    del content["fingerprints"]
    record.write_text(json.dumps(content), encoding="utf-8")
    assert known_parts([scan("Ann", "x"), scan("P", "a")], record) == ["train", None]
    assert [one["subject"] for one in unseen_scans([scan("Ann", "x"), scan("P", "a")], record, "e.pt")] == ["P"]


def test_what_is_left_out_by_name_alone_is_a_warning_with_names_and_a_cure(record, caplog):
    record.write_text(json.dumps({"train": ["Ann"], "validate": [], "test": []}), encoding="utf-8")
    unseen_scans([scan("Ann", "x"), scan("P", "a")], record, "e.pt")
    (warning,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert "1 scans are left out" in warning.message and "(Ann)" in warning.message
    assert "--pretraining_split null" in warning.message


def test_scans_without_fingerprints_go_by_names(record):
    assert known_parts([{"subject": "Ann"}, {"subject": "P"}], record) == ["train", None]


def test_what_was_trained_on_is_left_out_whatever_it_is_called(record):
    scans = [scan("P1", "a"), scan("P2", "d"), scan("P3", "e"), scan("P4", "x")]
    assert unseen_scans(scans, record, "encoder.pt") == scans[2:]


def test_other_people_of_the_same_names_are_all_unseen(record):
    scans = [scan("Ann", "x"), scan("Ben", "y")]
    assert unseen_scans(scans, record, "encoder.pt") == scans


def test_a_recorded_split_is_kept_under_other_names(record):
    scans = [scan("P1", "a"), scan("P2", "d"), scan("P3", "e"), scan("P4", "c")]
    split = recorded_split(scans, record, 1, 1, seed=0)
    assert split == {"train": [scans[0], scans[3]], "validate": [scans[1]], "test": [scans[2]]}


def test_a_split_is_drawn_for_other_people_of_the_same_names(record):
    scans = [scan(name, f"new {name}") for name in ("Ann", "Ben", "Cleo", "Dan")]
    assert recorded_split(scans, record, 1, 1, seed=3) == split_scans(scans, 1, 1, seed=3)


def test_a_resumed_run_with_other_scans_under_the_names_of_its_own_is_refused(record):
    parts = {"train": [scan("Ann", "a"), scan("Ann", "changed"), scan("Ben", "c")]}
    parts |= {"validate": [scan("Cleo", "d")], "test": [scan("Dan", "e")]}
    with pytest.raises(InputError, match=r"has other scans of Ann than there are now"):
        check_split(parts, record)


@pytest.mark.parametrize("content", ["", "[]", '{"train": ["A"]}', '{"train": 1, "validate": 2, "test": 3}'])
def test_another_file_is_refused(content, tmp_path):
    (tmp_path / "split.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"is no split\.json of a run"):
        known_parts([scan("Ann", "a")], tmp_path / "split.json")
