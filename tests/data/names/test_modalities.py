"""What a name says of the kind of an image, and of the visit."""

import pytest

from scripts.data.names.modalities import modality_name, modality_of, rest_of, visit_of


@pytest.mark.parametrize(
    ("path", "modality"),
    [
        ("BraTS-GLI-00000-000/BraTS-GLI-00000-000-t1c.nii.gz", "t1ce"),
        ("BraTS2021_00000/BraTS2021_00000_t1ce.nii.gz", "t1ce"),
        ("sub-01/anat/sub-01_ce-gadolinium_T1w.nii.gz", "t1ce"),
        ("sub-01/anat/sub-01_acq-t2_T1w.nii.gz", "t1"),
        ("P1_T1_post.nii.gz", "t1ce"),
        ("P1_t2_flair.nii.gz", "flair"),
        ("IXI-T1/IXI002-Guys-0828-T1.nii.gz", "t1"),
        ("MR/P1_flair.nii.gz", "flair"),
        ("MR/P1.nii.gz", "mr"),
        ("P1_ct_synthetic.nii.gz", "ct"),
        ("T1/P1_t2.nii.gz", "t2"),
        ("P1.nii.gz", None),
        ("patient_100.nii.gz", None),
    ],
)
def test_a_modality_is_read_from_the_name_and_then_from_folders(path, modality):
    assert modality_of(path) == modality


def test_words_that_are_asked_for_are_known_too():
    assert modality_of("P1_adc_map.nii.gz", {modality_name("ADC map")}) == "adcmap"


def test_images_of_one_occasion_have_the_same_rest():
    assert rest_of("MR/P1_t1_ce_a.nii.gz") == rest_of("CT/P1_ct_a_synthetic.nii.gz") != rest_of("CT/P1_ct_b.nii.gz")


@pytest.mark.parametrize(
    ("path", "visit"),
    [
        ("sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz", {"ses02"}),
        ("P1/2001-02-03/t1.nii.gz", {"20010203"}),
        ("BraTS-GLI-00000-001/BraTS-GLI-00000-001-t1c.nii.gz", {"001"}),
        ("P1/baseline/T1.nii.gz", {"baseline"}),
        ("sub-01/ses-pre/anat/sub-01_ses-pre_T1w.nii.gz", {"sespre"}),
        ("P1_followup_T1.nii.gz", {"followup"}),
        ("P1_follow-up_T1.nii.gz", {"followup"}),
        ("P1_fu1_T1.nii.gz", {"fu1"}),
        ("P1_pre_T2.nii.gz", {"pre"}),
        ("post/P1_T2.nii.gz", {"post"}),
        ("P1-before-ct.nii.gz", {"before"}),
        ("P1_T2_after.nii.gz", {"after"}),
        ("P1_T1_post.nii.gz", set()),
        ("P1_preprocessed_T2.nii.gz", set()),
        ("sub-01_ses-mri_T1w.nii.gz", set()),
        ("P1_run-1_T1w.nii.gz", set()),
        ("BraTS2021_00000_t1.nii.gz", set()),
    ],
)
def test_a_visit_is_a_session_or_a_date(path, visit):
    assert visit_of(path) == visit
