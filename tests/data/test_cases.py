"""From files to cases: the images of a subject's visit, by modality."""

import csv
import json
import os

import pytest

from scripts.data.cases import find_cases, modalities_of
from scripts.data.cohort import find_scans
from scripts.errors import InputError


@pytest.fixture
def fill(tmp_path):
    """Empty files: the layout alone is looked at."""

    def make(*paths, root=tmp_path / "cohort"):
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        return root

    return make


def cases_of(root, modalities=None):
    return find_cases(root, modalities, root.parent / "made", root.parent / "converted")


def images(cases):
    """File names of each case's images, by modality."""
    return [{name: os.path.basename(path) for name, path in case["modalities"].items()} for case in cases]


LAYOUTS = {
    "a folder a case": ("P1/P1_t1.nii.gz", "P1/P1_flair.nii.gz", "P2/P2_t1.nii.gz", "P2/P2_flair.nii.gz"),
    "BraTS since 2023": tuple(
        f"BraTS-GLI-0000{i}-000/BraTS-GLI-0000{i}-000-{name}.nii.gz" for i in (1, 2) for name in ("t1n", "t2f")
    ),
    "BIDS": tuple(f"sub-0{i}/anat/sub-0{i}_{name}.nii.gz" for i in (1, 2) for name in ("T1w", "FLAIR")),
    "BIDS in sessions": tuple(
        f"sub-0{i}/ses-1/{folder}/sub-0{i}_ses-1_{name}.nii.gz"
        for i in (1, 2)
        for folder, name in (("anat", "T1w"), ("anat", "FLAIR"))
    ),
    "folders of the same names": ("T1/a.nii.gz", "T1/b.nii.gz", "FLAIR/a.nii.gz", "FLAIR/b.nii.gz"),
    "names of two words": ("P1_T1_pre.nii.gz", "P1_T2_FLAIR.nii.gz", "P2_T1_pre.nii.gz", "P2_T2_FLAIR.nii.gz"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_case_has_the_images_of_a_subjects_visit(fill, layout):
    cases = cases_of(fill(*LAYOUTS[layout]))
    assert [sorted(case["modalities"]) for case in cases] == [["flair", "t1"]] * 2
    assert len({case["subject"] for case in cases}) == 2 and [case["scan"] for case in cases] == [0, 1]


def test_channels_of_nnunet_are_called_as_its_dataset_json_says(fill):
    root = fill(*(f"imagesTr/{case}_000{i}.nii.gz" for case in "ab" for i in (0, 1)), "labelsTr/a.nii.gz")
    (root / "dataset.json").write_text('{"channel_names": {"0": "MRI T1 Gd", "1": "T2"}}')
    first, second = cases_of(root)
    assert images([first]) == [{"t1ce": "a_0000.nii.gz", "t2": "a_0001.nii.gz"}]
    assert first["label"].endswith("labelsTr/a.nii.gz") and "label" not in second


def test_channels_without_names_are_numbers(fill):
    root = fill(*(f"imagesTr/{case}_000{i}.nii.gz" for case in "ab" for i in (0, 1)))
    assert [sorted(case["modalities"]) for case in cases_of(root)] == [["0", "1"]] * 2


def test_a_list_has_a_column_a_modality_and_its_cells_may_be_empty(fill):
    root = fill("x.nii.gz", "y.nii.gz", "z.nii.gz", "m.nii.gz")
    rows = [("subject", "CT", "PET", "label"), ("Ann", "x.nii.gz", "y.nii.gz", "m.nii.gz"), ("Ben", "", "z.nii.gz", "")]
    with open(root / "list.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    ann, ben = cases_of(root / "list.csv", ["pet", "CT"])
    assert (ann["subject"], ben["subject"]) == ("Ann", "Ben") and ann["label"].endswith("m.nii.gz")
    assert images([ann, ben]) == [{"pet": "y.nii.gz", "CT": "x.nii.gz"}, {"pet": "z.nii.gz"}]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"t1": "x.nii.gz"}, {"t1": ["x.nii.gz"]}], r'gives t1 the value \["x.nii.gz"\]: give the path of one image'),
        ([{"T1": "x.nii.gz", "T1w": "y.nii.gz"}], "The columns T1 and T1w of .* are of one modality"),
        ([{"image": "x.nii.gz", "t1": "y.nii.gz"}], "has the column image beside t1: call it by its modality"),
        ([{"t1": "x.nii.gz", "seg": "y.nii.gz", "label": "y.nii.gz"}], r"several columns of masks \(seg, label\)"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(fill, rows, said):
    root = fill("x.nii.gz", "y.nii.gz")
    (root / "list.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        cases_of(root / "list.json")


def test_a_modality_that_a_case_lacks_is_left_open(fill):
    root = fill("P1_t1.nii.gz", "P1_t2.nii.gz", "P2_t1.nii.gz", "P2_t2.nii.gz", "P3_t2.nii.gz")
    assert images(cases_of(root))[2] == {"t2": "P3_t2.nii.gz"}


def test_modalities_come_in_the_order_that_is_asked_for_and_the_first_is_the_image(fill):
    root = fill("P1_t1.nii.gz", "P1_t2.nii.gz", "P2_t1.nii.gz", "P2_t2.nii.gz")
    cases = cases_of(root, ["T2", "t1"])
    assert [list(case["modalities"]) for case in cases] == [["T2", "t1"]] * 2
    assert cases[0]["image"].endswith("P1_t2.nii.gz") and modalities_of(cases, ["T2", "t1"]) == ["T2", "t1"]


def test_by_default_all_that_two_subjects_have_are_taken_by_alphabet(fill):
    root = fill("P1_t2.nii.gz", "P1_ct.nii.gz", "P2_t2.nii.gz", "P2_ct.nii.gz", "P2_pet.nii.gz")
    assert modalities_of(cases_of(root)) == ["ct", "t2"]


def test_words_that_are_asked_for_are_modalities(fill):
    root = fill("P1_green.nii.gz", "P1_red.nii.gz", "P2_red.nii.gz")
    assert images(cases_of(root, ["red", "green"]))[0] == {"red": "P1_red.nii.gz", "green": "P1_green.nii.gz"}


def test_visits_are_cases_of_their_own(fill):
    root = fill(*(f"sub-1/ses-{visit}/sub-1_ses-{visit}_{name}.nii.gz" for visit in (1, 2) for name in ("T1w", "T2w")))
    fill("sub-2/ses-1/sub-2_ses-1_T1w.nii.gz", "sub-2/ses-2/sub-2_ses-2_T2w.nii.gz", root=root)
    assert [(case["subject"], len(case["modalities"])) for case in cases_of(root)] == [
        ("sub-1", 2),
        ("sub-1", 2),
        ("sub-2", 1),
        ("sub-2", 1),
    ]


@pytest.mark.parametrize("words", [("pre", "post"), ("before", "after"), ("baseline", "followup"), ("bl", "fu1")])
def test_two_visits_are_never_one_case(fill, words):
    first, second = words
    root = fill(*(f"P{i}_{first}_t1.nii.gz" for i in (1, 2)), *(f"P{i}_{second}_ct.nii.gz" for i in (1, 2)))
    found = sorted((case["subject"], *case["modalities"]) for case in cases_of(root))
    assert found == [("P1", "ct"), ("P1", "t1"), ("P2", "ct"), ("P2", "t1")]


def test_words_that_may_be_a_contrast_or_a_visit_are_told(fill, caplog):
    root = fill(*(f"P{i}_{name}_{time}.nii.gz" for i in (1, 2) for name in ("T1", "T2") for time in ("pre", "post")))
    assert images(cases_of(root))[0].keys() == {"t1", "t1ce"}
    assert "4 names (P1_T1_post.nii.gz" in caplog.text and "put the word before T1" in caplog.text


def test_repeats_with_partners_are_visits(fill):
    root = fill(*(f"P{i}_{take}_{name}.nii.gz" for i in (1, 2) for take in "ab" for name in ("t1", "t2")))
    assert {"t1": "P1_b_t1.nii.gz", "t2": "P1_b_t2.nii.gz"} in images(cases_of(root))


def test_of_several_images_of_a_modality_the_first_is_taken_with_a_warning(fill, caplog):
    root = fill("sub-1/sub-1_run-1_T1w.nii.gz", "sub-1/sub-1_run-2_T1w.nii.gz", "sub-1/sub-1_T2w.nii.gz")
    fill("sub-2/sub-2_T1w.nii.gz", "sub-2/sub-2_T2w.nii.gz", root=root)
    assert images(cases_of(root))[0] == {"t1": "sub-1_run-1_T1w.nii.gz", "t2": "sub-1_T2w.nii.gz"}
    assert "1 images are of a modality" in caplog.text and "sub-1_run-2_T1w.nii.gz" in caplog.text


def test_a_synthetic_image_is_named_and_gives_way_to_a_real_one(fill):
    root = fill("P1_t1.nii.gz", "P1_ct_synthetic.nii.gz", "P2_t1.nii.gz", "P2_ct.nii.gz", "P2_ct_synthetic.nii.gz")
    first, second = cases_of(root, ["ct", "t1"])
    assert first["synthetic"] == ["ct"] and first["image"].endswith("P1_t1.nii.gz")
    assert second["synthetic"] == [] and images([second])[0]["ct"] == "P2_ct.nii.gz"


def test_a_modality_that_nobody_has_is_named_with_what_there_is(fill):
    root = fill("P1_t1.nii.gz", "P1_flair.nii.gz", "P2_t1.nii.gz", "P2_flair.nii.gz")
    with pytest.raises(InputError, match=r"the modality flare: there are flair \(2 subjects\), t1.*did you mean flair"):
        cases_of(root, ["t1", "flare"])


def test_fewer_than_two_modalities_are_refused_with_what_to_give(fill):
    with pytest.raises(InputError, match=r"Fewer than two modalities .*t1 \(2 subjects\).*CASE_t1"):
        cases_of(fill("P1_t1.nii.gz", "P2_t1.nii.gz"))


def test_two_modalities_have_to_be_asked_for(fill):
    with pytest.raises(InputError, match="2 or more that differ"):
        cases_of(fill("P1_t1.nii.gz", "P2_t2.nii.gz"), ["t1", "T1w"])


def test_images_without_a_modality_are_counted(fill, caplog):
    cases_of(fill("P1_t1.nii.gz", "P1_t2.nii.gz", "P2_t1.nii.gz", "P2_t2.nii.gz", "P2_odd.nii.gz"))
    assert "1 images have no modality in their names (P2_odd.nii.gz)" in caplog.text


def test_the_log_has_a_table_of_who_has_what(fill, caplog):
    caplog.set_level("INFO")
    root = fill("P1_t1.nii.gz", "P1_ct_synthetic.nii.gz", "P2_t1.nii.gz", "P2_ct.nii.gz", "P3_t1.nii.gz")
    cases_of(fill("P3_adc.nii.gz", root=root))
    for line in (
        "3 cases of 3 subjects, 0 with a mask",
        "  ct        1 image and 1 synthetic of 2 subjects",
        "  t1        3 images of 3 subjects",
        "  complete  2 cases of 2 subjects have all 2",
        "  without   adc (1 subject)",
    ):
        assert line in caplog.text


@pytest.mark.usefixtures("unseen_bodies")
def test_scans_of_the_synthetic_cohort_of_cases_are_found_where_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("scripts.data.cohort.SUBJECTS", {True: 2})
    where = {"dataset_dir": None, "synthetic_dir": tmp_path / "made", "converted_dir": tmp_path}
    files = {path for case in find_cases(**where, modalities=None) for path in case["modalities"].values()}
    assert files == {scan["image"] for scan in find_scans(**where, synthetic_modalities=True)}


@pytest.mark.parametrize("column", ["mask", "seg", "label", "t1_mask"])
def test_a_column_of_masks_is_no_modality_but_the_label(fill, column):
    root = fill("x.nii.gz", "y.nii.gz", "m.nii.gz")
    rows = [{"t1": "x.nii.gz", "t2": "y.nii.gz", column: "m.nii.gz", "subject": i} for i in (1, 2)]
    (root / "list.json").write_text(json.dumps(rows), encoding="utf-8")
    case = cases_of(root / "list.json")[0]
    assert list(case["modalities"]) == ["t1", "t2"] and case["label"] == str(root / "m.nii.gz")


def test_a_column_of_brain_masks_is_neither_a_modality_nor_the_label(fill):
    root = fill("x.nii.gz", "y.nii.gz", "m.nii.gz")
    rows = [{"t1": "x.nii.gz", "t2": "y.nii.gz", "brain_mask": "m.nii.gz", "subject": i} for i in (1, 2)]
    (root / "list.json").write_text(json.dumps(rows), encoding="utf-8")
    case = cases_of(root / "list.json")[0]
    assert list(case["modalities"]) == ["t1", "t2"] and "label" not in case


def test_a_list_without_scans_is_called_one(fill):
    root = fill("x.nii.gz")
    (root / "list.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"There are no scans in .*list\.json: give dataset_dir a list that has some"):
        cases_of(root / "list.json")
