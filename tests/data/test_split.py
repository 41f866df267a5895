"""No subject is on two sides, and who is on which is on record."""

import json

import pytest

from scripts.data.split import kept_split, recorded_split, split_scans, unseen_scans, write_split
from scripts.errors import InputError


def scans_of(number, each=1):
    return [
        {"image": f"/{subject}_{i}.nii.gz", "subject": f"S{subject:03d}"}
        for subject in range(number)
        for i in range(each)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("number, val_size, test_size", [(3, 0.1, 0.2), (10, 0.1, 0.2), (17, 3, 0.3), (40, 0.45, 0.45)])
def test_each_scan_is_on_one_side_with_all_of_its_subject(number, val_size, test_size, seed):
    scans = scans_of(number, each=3)
    split = split_scans(scans, val_size, test_size, seed)
    sides = [{scan["subject"] for scan in split[part]} for part in ("train", "validate", "test")]
    assert all(sides) and sum(map(len, sides)) == len(set.union(*sides)) == number
    assert sorted(scan["image"] for part in split.values() for scan in part) == sorted(s["image"] for s in scans)


@pytest.mark.parametrize("sizes, expected", [((0.1, 0.2), (2, 4)), ((3, 5), (3, 5)), ((0.01, 1), (1, 1))])
def test_sizes_are_shares_or_numbers_of_subjects(sizes, expected):
    split = split_scans(scans_of(20, each=2), *sizes, seed=0)
    assert (len(split["validate"]), len(split["test"])) == (2 * expected[0], 2 * expected[1])


def test_the_same_seed_gives_the_same_split_in_any_order_of_scans():
    scans = scans_of(20)
    split = split_scans(scans, 3, 5, seed=4)
    again = split_scans(scans[::-1], 3, 5, seed=4)
    assert {name: part[::-1] for name, part in again.items()} == split


def test_another_seed_gives_another_split():
    assert split_scans(scans_of(20), 3, 5, seed=0) != split_scans(scans_of(20), 3, 5, seed=1)


def test_too_few_subjects_are_refused():
    with pytest.raises(InputError, match=r"2 subjects \(S000, S001\) cannot be split.*CSV"):
        split_scans(scans_of(2, each=9), 0.1, 0.2, seed=0)


@pytest.mark.parametrize("sizes", [(1, 2), (2, 1), (2, 3)])
def test_each_part_has_so_many_subjects_as_are_needed(sizes):
    with pytest.raises(InputError, match=r"each part needs 2 at least: .*change val_size or test_size"):
        split_scans(scans_of(6), *sizes, seed=0, fewest=2)
    assert len(split_scans(scans_of(6), 2, 2, seed=0, fewest=2)["train"]) == 2


def test_the_subjects_of_a_split_are_on_record(tmp_path):
    split = split_scans(scans_of(6, each=2), 1, 2, seed=0)
    write_split(split, tmp_path / "run" / "split.json")
    recorded = json.loads((tmp_path / "run" / "split.json").read_text(encoding="utf-8"))
    assert recorded == {name: sorted({scan["subject"] for scan in part}) for name, part in split.items()}


def test_the_same_split_may_be_written_again(tmp_path):
    for _ in range(2):
        write_split(split_scans(scans_of(6), 1, 2, seed=0), tmp_path / "split.json")


def test_another_split_than_that_of_a_started_run_is_refused_and_the_old_kept(tmp_path):
    (tmp_path / "checkpoint.pt").touch()
    write_split(split_scans(scans_of(6), 1, 2, seed=0), tmp_path / "split.json")
    before = (tmp_path / "split.json").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="holds another split"):
        write_split(split_scans(scans_of(6), 2, 1, seed=0), tmp_path / "split.json")
    assert (tmp_path / "split.json").read_text(encoding="utf-8") == before


def test_a_split_of_a_run_that_never_got_anywhere_is_replaced(tmp_path):
    for sizes in ((1, 2), (2, 1)):
        write_split(split_scans(scans_of(6), *sizes, seed=0), tmp_path / "split.json")
    assert len(json.loads((tmp_path / "split.json").read_text(encoding="utf-8"))["validate"]) == 2


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_a_size_that_is_neither_share_nor_number_is_refused(size):
    with pytest.raises(InputError, match=f"val_size is {size}: give a share"):
        split_scans(scans_of(9), size, 1, seed=0)


def test_a_recorded_split_keeps_its_parts_whatever_the_sizes(tmp_path):
    scans = scans_of(12, each=2)
    split = split_scans(scans, 2, 3, seed=0)
    write_split(split, tmp_path / "split.json")
    assert recorded_split(scans, tmp_path / "split.json", 4, 4, seed=9) == split


def test_subjects_unknown_to_a_recorded_split_are_tested_on_and_that_is_said(tmp_path, caplog):
    split = split_scans(scans_of(6), 1, 2, seed=0)
    write_split(split, tmp_path / "split.json")
    new = {"image": "/new.nii.gz", "subject": "new"}
    now = recorded_split([*scans_of(6), new], tmp_path / "split.json", 1, 2, seed=0)
    assert now == split | {"test": [*split["test"], new]}
    assert "does not know 1 of these subjects (new)" in caplog.text


def test_a_split_is_drawn_where_the_recorded_one_knows_no_subject(tmp_path):
    others = [scan | {"subject": "other" + scan["subject"]} for scan in scans_of(8)]
    write_split(split_scans(others, 1, 2, seed=0), tmp_path / "split.json")
    now = recorded_split(scans_of(9), tmp_path / "split.json", 2, 3, seed=5)
    assert now == split_scans(scans_of(9), 2, 3, seed=5)


def test_a_split_is_drawn_with_a_warning_where_none_is_recorded(tmp_path, caplog):
    now = recorded_split(scans_of(9), tmp_path / "split.json", 2, 3, seed=5)
    assert now == split_scans(scans_of(9), 2, 3, seed=5)
    assert "may have been trained on" in caplog.text


def test_a_recorded_split_with_an_empty_part_is_refused(tmp_path):
    split = split_scans(scans_of(6), 1, 2, seed=0)
    write_split(split, tmp_path / "split.json")
    whom = split["validate"][0]["subject"]
    with pytest.raises(InputError, match=rf"none of them under 'validate': .* as well \({whom}\)\.$"):
        recorded_split([*split["train"], *split["test"]], tmp_path / "split.json", 1, 2, seed=0)


def test_of_known_and_new_subjects_the_new_ones_alone_can_be_split(tmp_path):
    split = split_scans(scans_of(6), 1, 2, seed=0)
    write_split(split, tmp_path / "split.json")
    new = [{"image": f"/{name}.nii.gz", "subject": name} for name in ("Ann", "Ben", "Cleo")]
    with pytest.raises(InputError, match=r"or Ann, Ben, Cleo alone, whom it does not know"):
        recorded_split([*split["train"], *new], tmp_path / "split.json", 1, 2, seed=0)
    assert recorded_split(new, tmp_path / "split.json", 1, 1, seed=0)["test"]


@pytest.mark.parametrize("trained_on", [scans_of(6), [{"image": "/x", "subject": name} for name in "ABCDEF"]])
def test_who_fits_probes_and_who_is_tested_is_told(trained_on, tmp_path, caplog):
    caplog.set_level("INFO")
    write_split(split_scans(trained_on, 1, 2, seed=0), tmp_path / "split.json")
    split = recorded_split(scans_of(6), tmp_path / "split.json", 1, 2, seed=0)
    tested = ", ".join(sorted(scan["subject"] for scan in split["test"]))
    assert f"tested on 2 subjects ({tested})" in caplog.text


@pytest.fixture
def recorded(tmp_path):
    """split.json of an encoder's run, beside its weights."""
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"train": ["S1"], "validate": ["S2"], "test": ["S3"]}), encoding="utf-8")
    return path


def test_what_an_encoder_was_trained_on_is_left_out(recorded):
    scans = [{"subject": f"S{number}", "scan": number} for number in range(1, 6)]
    unseen = unseen_scans(scans, recorded, str(recorded.parent / "encoder.pt"))
    assert [scan["subject"] for scan in unseen] == ["S3", "S4", "S5"]


@pytest.mark.parametrize("none", [None, "null"])
def test_all_scans_can_be_asked_for(none):
    assert unseen_scans([{"subject": "S1"}], none, "encoder.pt") == [{"subject": "S1"}]


def test_an_encoder_without_a_split_is_used_and_that_is_said(tmp_path, caplog):
    scans = [{"subject": "S1"}]
    assert unseen_scans(scans, tmp_path / "split.json", str(tmp_path / "encoder.pt")) == scans
    assert "encoder.pt may have been trained on the subjects" in caplog.text


def test_subjects_that_a_split_does_not_know_are_used_and_that_is_said(recorded, caplog):
    scans = [{"subject": "sub-S1"}]
    assert unseen_scans(scans, recorded, "encoder.pt") == scans
    assert "knows none of these scans" in caplog.text


def test_a_split_that_is_asked_for_must_be_there(tmp_path):
    with pytest.raises(InputError, match=r"There is no .*gone\.json: give the split\.json of"):
        unseen_scans([{"subject": "S1"}], tmp_path / "gone.json", "/other/encoder.pt")


def test_an_encoder_that_has_seen_all_subjects_is_not_judged_on_them(recorded):
    with pytest.raises(InputError, match="was trained on all of these subjects"):
        unseen_scans([{"subject": "S1"}], recorded, "encoder.pt")


def test_a_training_that_is_gone_on_with_keeps_who_validates_and_learns_of_who_is_new(recorded):
    scans = [{"subject": f"S{number}", "scan": number} for number in (1, 2, 3, 5)]
    split = kept_split(scans, recorded)
    assert {part: [scan["subject"] for scan in some] for part, some in split.items()} == {
        "train": ["S1", "S5"],
        "validate": ["S2"],
        "test": ["S3"],
    }


@pytest.mark.parametrize("given, part, missing", [(["S1", "S5"], "validate", "S2"), (["S2", "S3"], "train", "S1")])
def test_a_training_is_not_gone_on_with_where_nobody_trains_or_validates(recorded, given, part, missing):
    with pytest.raises(InputError, match=f"none of these subjects under '{part}': give scans of .*{missing}"):
        kept_split([{"subject": subject} for subject in given], recorded)
