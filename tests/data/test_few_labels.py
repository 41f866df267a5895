import numpy as np
import pytest

from scripts.data.few_labels import FewLabels
from scripts.data.split import write_split
from scripts.errors import InputError


@pytest.fixture
def scans():
    return [
        {"subject": f"s{i}", "image": f"s{i}.nii.gz", "fingerprint": f"mark {i}", "class_label": 1.0} for i in range(10)
    ]


@pytest.fixture
def path(scans, tmp_path):
    split = {"train": scans[:7], "validate": scans[7:8], "test": scans[8:]}
    write_split(split, tmp_path / "split.json")
    return tmp_path / "split.json"


def parts(scans, path, share=1.0, seed=0):
    return FewLabels(scans, path, "scratch", seed).parts(share)


def test_parts_are_those_of_the_pretraining(scans, path):
    assert parts(scans, path) == {"train": {f"s{i}" for i in range(7)}, "validate": {"s7"}, "test": {"s8", "s9"}}


def test_a_share_is_rounded_up_and_part_of_a_larger_one(scans, path):
    few, more = (parts(scans, path, share)["train"] for share in (0.2, 0.5))
    assert (len(few), len(more)) == (2, 4)
    assert few < more


def test_another_seed_draws_others_and_leaves_the_rest(scans, path):
    first, second = (parts(scans, path, 0.5, seed) for seed in (0, 1))
    assert first.pop("train") != second.pop("train")
    assert first == second


def test_scans_that_the_pretraining_never_had_are_in_no_part(scans, path):
    found = parts([*scans, {"subject": "new", "fingerprint": "mark"}], path)
    assert "new" not in set.union(*found.values())


def test_scans_of_another_pretraining_are_refused(path):
    with pytest.raises(InputError, match=r"split\.json, none of these scans is under train, validate, test: give"):
        FewLabels([{"subject": "other", "fingerprint": "mark"}], path, "scratch", 0)


def test_without_a_split_it_is_told_what_to_give(scans):
    with pytest.raises(InputError, match=r"pretraining_split is null: give the split\.json"):
        FewLabels(scans, None, "scratch", 0)


@pytest.mark.parametrize("share", [0, 1.5])
def test_no_share_is_refused(scans, path, share):
    with pytest.raises(InputError, match="label_share is"):
        parts(scans, path, share)


def test_an_encoder_that_was_trained_on_those_who_are_tested_is_refused(scans, path, tmp_path):
    encoder = tmp_path / "other" / "encoder.pt"
    encoder.parent.mkdir()
    encoder.touch()
    write_split({"train": scans[8:], "validate": scans[:1], "test": scans[1:2]}, encoder.parent / "split.json")
    with pytest.raises(InputError, match=r"was trained or validated on 2 of the 2 subjects"):
        FewLabels(scans, path, str(encoder), 0)


def test_an_encoder_that_was_trained_on_those_who_validate_is_refused(scans, path, tmp_path):
    encoder = tmp_path / "other" / "encoder.pt"
    encoder.parent.mkdir()
    encoder.touch()
    write_split({"train": scans[6:8], "validate": scans[:1], "test": scans[8:]}, encoder.parent / "split.json")
    with pytest.raises(InputError, match=r"was trained on s7, who validate by"):
        FewLabels(scans, path, str(encoder), 0)
    write_split({"train": scans[:7], "validate": scans[7:8], "test": scans[8:]}, encoder.parent / "split.json")
    FewLabels(scans, path, str(encoder), 0)


def test_people_of_two_parts_who_have_one_name_now_are_refused(scans, path):
    scans[0]["subject"] = scans[9]["subject"] = "P"
    with pytest.raises(InputError, match=r"scans of P are in more than one of its parts"):
        FewLabels(scans, path, "scratch", 0)


def test_where_all_have_a_class_a_share_is_drawn_of_all(scans, path):
    expected = np.random.RandomState(3).permutation([f"s{i}" for i in range(7)])[:4]
    assert parts(scans, path, 0.5, 3)["train"] == set(expected)


def test_a_share_has_subjects_with_and_without_a_class(scans, path):
    for scan in scans[:5]:
        scan["class_label"] = 0.0
    assert [sum(name < "s5" for name in parts(scans, path, 0.1, seed)["train"]) for seed in range(5)] == 5 * [1]
