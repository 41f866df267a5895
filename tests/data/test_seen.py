"""No encoder is judged on subjects that it has seen, whichever split is named, unless that is asked for, and told."""

import json

import pytest

from scripts.data.seen import record_of_encoder, require_unseen
from scripts.data.split import recorded_split, unseen_scans
from scripts.data.split import write_split as record_split
from scripts.errors import InputError


def scan(subject):
    return {"image": f"/{subject}.nii", "subject": subject, "fingerprint": f"content of {subject}"}


EVERYBODY = [scan(name) for name in ("Ann", "Ben", "Cleo", "Dan")]


def write_split(path, **parts):
    subjects = [name for part in parts.values() for name in part]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(parts | {"fingerprints": {name: [f"content of {name}"] for name in subjects}}))
    return path


@pytest.fixture
def encoder(tmp_path):
    """Weights that were trained on Ann and Ben, and validated on Cleo."""
    own = write_split(tmp_path / "models" / "split.json", train=["Ann", "Ben"], validate=["Cleo"], test=["Dan"])
    (own.parent / "model.pt").touch()
    return str(own.parent / "model.pt")


@pytest.fixture
def other(tmp_path):
    """The split of another run, in which Ann and Cleo test."""
    return write_split(tmp_path / "other" / "split.json", train=["Ben"], validate=["Dan"], test=["Ann", "Cleo"])


def test_whom_the_weights_have_seen_is_not_tested_by_the_split_of_another_run(encoder, other):
    split = recorded_split(EVERYBODY, other, 1, 1, seed=0)
    with pytest.raises(InputError, match=r"trained or validated on 2 of the 2 .* \(Ann, Cleo\): leave out .*run_dir"):
        require_unseen(split["test"], encoder, other)


def test_a_scan_that_the_weights_have_seen_is_known_under_any_name(encoder, other):
    with pytest.raises(InputError, match=r"on 1 of the 2 subjects .* \(P1\)"):
        require_unseen([scan("Ann") | {"subject": "P1"}, scan("Dan")], encoder, other)


def test_people_who_are_known_by_their_names_can_be_asked_for(encoder, other):
    again = [scan("Ann") | {"fingerprint": "another contrast"}]
    require_unseen(again, encoder, other)
    with pytest.raises(InputError, match="Ann"):
        require_unseen(again, encoder, other, "names")


def test_the_split_of_another_run_serves_where_the_weights_have_seen_none_of_those_tested(encoder, other, caplog):
    require_unseen([scan("Dan"), scan("Eve")], encoder, other)
    assert not caplog.records


def test_where_no_split_lies_beside_weights_nobody_knows_and_that_is_said(tmp_path, other, caplog):
    (tmp_path / "model.pt").touch()
    require_unseen(EVERYBODY, str(tmp_path / "model.pt"), other)
    (warning,) = caplog.records
    assert "nobody knows whom" in warning.message and str(other) in warning.message


def test_an_encoder_as_it_is_drawn_has_seen_nobody(other, monkeypatch, caplog):
    monkeypatch.chdir(other.parent)  # whose split would lie beside a file of that name
    require_unseen(EVERYBODY, "untrained", other)
    unseen_scans(EVERYBODY, None, "untrained")
    assert not caplog.records


def test_a_probe_is_not_tested_on_whom_its_encoder_has_seen(encoder, tmp_path):
    strangers = write_split(tmp_path / "other" / "split.json", train=["Xi"], validate=["Yu"], test=["Zoe"])
    with pytest.raises(InputError, match=r"on 3 of the 4 .* \(Ann, Ben, Cleo\).*pretraining_split"):
        unseen_scans(EVERYBODY, strangers, encoder)


def test_that_all_subjects_are_used_is_told_with_those_that_the_encoder_has_seen(encoder, caplog):
    assert unseen_scans(EVERYBODY, None, encoder) == EVERYBODY
    (warning,) = caplog.records
    assert "also the 3 of 4 that" in warning.message and "(Ann, Ben, Cleo)" in warning.message


def test_that_all_subjects_are_used_is_told_where_nobody_knows_whom_the_encoder_has_seen(tmp_path, caplog):
    (tmp_path / "model.pt").touch()
    unseen_scans(EVERYBODY, "null", str(tmp_path / "model.pt"))
    (warning,) = caplog.records
    assert "nobody knows" in warning.message


@pytest.fixture
def segmenter(encoder, tmp_path):
    """Weights of a training on Xi and Yu that began with the encoder, which has seen Ann, Ben and Cleo."""
    split = {"train": [scan("Xi")], "validate": [scan("Yu")], "test": [scan("Zoe")]}
    record_split(split, tmp_path / "segmenter" / "split.json", record_of_encoder(encoder, None))
    (tmp_path / "segmenter" / "model.pt").touch()
    return tmp_path / "segmenter" / "model.pt"


def test_whom_the_encoder_of_a_network_has_seen_the_network_has_seen(segmenter):
    people = [*EVERYBODY, scan("Ann") | {"subject": "P1"}, scan("Xi"), scan("Yu"), scan("Zoe")]
    unseen = unseen_scans(people, segmenter.with_name("split.json"), str(segmenter))
    assert [one["subject"] for one in unseen] == ["Dan", "Zoe"]


def test_a_network_is_not_tested_on_whom_its_encoder_has_seen_by_another_split(segmenter, other):
    with pytest.raises(InputError, match=r"on 2 of the 2 .* \(Ann, Cleo\)"):
        require_unseen([scan("Ann"), scan("Cleo")], str(segmenter), other)


def test_an_encoder_that_nobody_knows_of_has_seen_whom_the_split_that_is_gone_by_says(encoder, other, tmp_path):
    (tmp_path / "encoder.pt").touch()
    assert record_of_encoder(encoder, other)["train"] == ["Ann", "Ben"]
    assert record_of_encoder(str(tmp_path / "encoder.pt"), other)["train"] == ["Ben"]
    assert record_of_encoder(str(tmp_path / "encoder.pt"), "null") is None
    assert record_of_encoder("untrained", other) is None


def test_a_record_whose_encoder_is_none_is_refused(segmenter):
    path = segmenter.with_name("split.json")
    path.write_text('{"train": [], "validate": [], "test": [], "pretrained": {"train": []}}', encoding="utf-8")
    with pytest.raises(InputError, match=r"is no split\.json"):
        unseen_scans(EVERYBODY, path, str(segmenter))
