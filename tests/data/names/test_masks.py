"""Which files are masks, and whose."""

from pathlib import PurePath

import pytest

from scripts.data.names.masks import is_mask, masks_of_scans
from scripts.data.names.subjects import read_subjects

LAYOUTS = {
    "KiTS": {"case_00000/imaging.nii.gz": ["case_00000/segmentation.nii.gz"], "case_00001/imaging.nii.gz": []},
    "LiTS": {f"volume-{i}.nii": [f"segmentation-{i}.nii"] for i in (0, 1, 10, 11)},
    "LiTS in two folders": {f"scans/volume-{i}.nii": [f"masks/segmentation-{i}.nii"] for i in (1, 10)},
    "names in one word": {f"img{i:04}.nii.gz": [f"label{i:04}.nii.gz"] for i in (1, 2, 10)},
    "Decathlon": {f"imagesTr/la_{i:03}.nii.gz": [f"labelsTr/la_{i:03}.nii.gz"] for i in (3, 4)},
    "nnU-Net": {
        f"imagesTr/{case}_{i:04}.nii.gz": [f"labelsTr/{case}.nii.gz"] for case in ("A_1", "A_1_2", "B") for i in (0, 1)
    },
    "BraTS": {
        f"{case}/{case}_{c}.nii.gz": [f"{case}/{case}_seg.nii.gz"]
        for case in ("BraTS2021_00000", "BraTS2021_00002")
        for c in ("t1", "flair")
    },
    "BIDS dseg": {f"sub-0{i}/anat/sub-0{i}_T1w.nii.gz": [f"sub-0{i}/anat/sub-0{i}_dseg.nii.gz"] for i in (1, 2)},
    "BIDS lesion_roi": {
        f"sub-0{i}/ses-1/anat/sub-0{i}_ses-1_T1w.nii.gz": [
            f"sub-0{i}/ses-1/anat/sub-0{i}_ses-1_T1w_label-lesion_roi.nii.gz"
        ]
        for i in (1, 2)
    },
    "ATLAS": {
        "sub-r001s001/anat/sub-r001s001_space-MNI_T1w.nii.gz": [
            "sub-r001s001/anat/sub-r001s001_space-MNI_label-L_desc-T1lesion_mask.nii.gz"
        ]
    },
    "BIDS derivatives": {
        f"sub-0{i}/anat/sub-0{i}_T1w.nii.gz": [f"derivatives/lesion_masks/sub-0{i}/anat/sub-0{i}_T1w_mask.nii.gz"]
        for i in (1, 2)
    },
    "ISLES": {f"sub-0{i}/sub-0{i}_adc.nii.gz": [f"sub-0{i}/sub-0{i}_msk.nii.gz"] for i in (1, 2)},
    "ACDC": {f"patient001/patient001_frame{i}.nii": [f"patient001/patient001_frame{i}_gt.nii"] for i in ("01", "12")},
    "two raters": {"training01_01_flair.nii": ["training01_01_mask1.nii", "training01_01_mask2.nii"]},
    "several masks of a person's folder": {
        "P1/T1.nii": ["P1/liver_mask.nii", "P1/tumour_mask.nii"],
        "P2/T1.nii": ["P2/liver_mask.nii"],
    },
    "several masks by a scan's name": {"P1.nii": ["P1_liver_mask.nii", "P1_tumour_mask.nii"], "P2.nii": []},
    "a scan's own mask before its folder's": {
        "P1/T1.nii": ["P1/T1_seg.nii"],
        "P1/T2.nii": ["P1/seg.nii"],
        "P2/T1.nii": [],
    },
    "words of raters": {"P1_T1.nii": ["P1_T1_lesion_manual.nii"], "P2_T1.nii": ["P2_T1_annotation_rater1.nii"]},
    "a folder of masks in a person's folder": {f"P{i}/T1.nii": [f"P{i}/masks/lesion.nii"] for i in (1, 2)},
    "folders of people below a folder of masks": {f"images/P{i}/T1.nii": [f"labels/P{i}/x.nii"] for i in (1, 2)},
    "contrasts in folders": {f"{c}/P{i}.nii": [f"masks/P{i}.nii"] for c in ("T1", "T2") for i in (1, 2)},
    "people who are called as parts are": {
        f"train_{i:03}/images/ct.nii": [f"train_{i:03}/labels/ct.nii"] for i in (1, 2)
    },
    "parts with numbers": {f"images_{i}/P{i}.nii": [f"labels_{i}/P{i}.nii"] for i in (1, 2)},
    "a mask word before": {f"P{i}.nii.gz": [f"mask_P{i}.nii.gz"] for i in (1, 2)},
}


def owners(scans, masks):
    scans, subjects = [PurePath(scan) for scan in scans], read_subjects(scans).subjects
    found, left = masks_of_scans(dict(zip(scans, subjects, strict=True)), map(PurePath, masks))
    return {str(scan): list(map(str, found.get(scan, []))) for scan in scans}, list(map(str, left))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_masks_are_told_from_scans(layout):
    files = {path for scan, masks in layout.items() for path in (scan, *masks)}
    assert {path for path in files if not is_mask(PurePath(path))} == set(layout)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_each_mask_is_with_its_scan(layout):
    assert owners(layout, {mask for masks in layout.values() for mask in masks}) == (layout, [])


@pytest.mark.parametrize("name", ["seglet_01.nii", "maskelyne.nii", "roisin_01.nii", "lesion_001.nii", "T1.nii"])
def test_words_that_only_begin_like_a_mask_are_scans(name):
    assert not is_mask(PurePath(name))


@pytest.mark.parametrize("mask", ["c_seg.nii", "seg.nii", "labels/c.nii"])
def test_a_mask_that_is_nobodys_is_left(mask):
    assert owners(["P1.nii", "P2.nii"], [mask]) == ({"P1.nii": [], "P2.nii": []}, [mask])


@pytest.mark.parametrize("mask", ["P1_brain_mask.nii", "P1_desc-brain_mask.nii"])
def test_a_mask_of_a_brain_is_no_scans_and_nobody_is_asked_for_it(mask):
    assert owners(["P1.nii", "P2.nii"], [mask]) == ({"P1.nii": [], "P2.nii": []}, [])


def test_a_mask_that_may_be_of_several_people_is_nobodys():
    assert owners(["A_1.nii", "A_2.nii"], ["A_seg.nii"])[1] == ["A_seg.nii"]
