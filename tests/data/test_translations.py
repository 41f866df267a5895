"""Pairs of one place, and scans of which no two are, from cases that lack some images."""

import pytest

from scripts.data.names.cases import case_name
from scripts.data.translations import paired_scans, scans_of_modality, separate_scans, unpaired_scans
from scripts.errors import InputError


def case(subject, *modalities, synthetic=()):
    paths = {name: f"/scans/{subject}/{subject}_{name}.nii.gz" for name in modalities}
    return {
        "image": paths[modalities[0]],
        "modalities": paths,
        "synthetic": [*synthetic],
        "subject": subject,
        "scan": 0,
    }


CASES = [case("A", "t1", "ct"), case("B", "t1"), case("C", "ct"), case("D", "t1", "ct", synthetic=["ct"])]


def test_a_pair_is_of_a_case_that_has_both_and_of_which_no_network_made_one():
    (pair,) = paired_scans(CASES, "t1", "ct")
    paths = {"image": "/scans/A/A_t1.nii.gz", "target": "/scans/A/A_ct.nii.gz"}
    assert pair == paths | {"case": "A", "subject": "A", "scan": 0}


def test_an_image_is_made_of_every_scan_that_is_real():
    assert [scan["case"] for scan in scans_of_modality(CASES, "t1")] == ["A", "B", "D"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((CASES, "t1", "t1"), "source and target are both t1"),
        ((CASES[1:], "t1", "ct"), "None of 3 cases has real images of both t1 and ct"),
    ],
)
def test_what_cannot_be_paired_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        paired_scans(*given)


def test_who_has_no_scan_of_a_modality_is_told_so():
    with pytest.raises(InputError, match="None of 1 cases has a real image of ct"):
        separate_scans([case("B", "t1")], "t1", "ct")


def test_each_scan_of_the_more_common_modality_meets_one_of_another_subject():
    cases = [case(name, "t1", "ct") for name in "AB"] + [case(name, "t1") for name in "CDE"]
    items = unpaired_scans(separate_scans(cases, "t1", "ct"), "t1", "ct")
    assert [item["subject"] for item in items] == [*"ABCDE"] and [item["scan"] for item in items] == [*range(5)]
    assert all(f"/{item['subject']}_" not in item["target"] for item in items)
    assert {item["target"] for item in items} == {"/scans/A/A_ct.nii.gz", "/scans/B/B_ct.nii.gz"}


@pytest.mark.parametrize(("t1", "ct"), [("ABC", "BC"), ("BC", "ABC"), ("AAB", "AB"), ("ABCD", "ABCD")])
def test_no_subject_meets_itself_where_there_is_another(t1, ct):
    scans = [
        {"image": f"{who}{i}_{name}", "subject": who, "modality": name}
        for name, whose in (("t1", t1), ("ct", ct))
        for i, who in enumerate(whose)
    ]
    items = unpaired_scans(scans, "t1", "ct")
    assert len(items) == max(len(t1), len(ct)) and all(item["subject"] != item["target"][0] for item in items)


def test_a_part_without_targets_is_refused():
    with pytest.raises(InputError, match="of a part of the split is ct"):
        unpaired_scans([{"modality": "t1"}], "t1", "ct")


def test_a_file_that_says_nothing_but_its_modality_names_no_case():
    assert case_name("P1/T1.nii.gz", "t1") == "" and case_name("P1_t1.nii.gz", "ct") == "P1_t1"
    (scan,) = scans_of_modality([{**case("A", "t1"), "modalities": {"t1": "/A/t1.nii.gz"}}], "t1")
    assert scan["case"] == "A"
