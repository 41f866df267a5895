"""Who is a subject, in layouts of data sets that are public or usual."""

import random

import pytest

from scripts.data.names.subjects import read_subjects

LAYOUTS = {
    "IXI, a folder a contrast": {
        "IXI-T1/IXI002-Guys-0828-T1.nii.gz": "IXI002-Guys-0828",
        "IXI-T2/IXI002-Guys-0828-T2.nii.gz": "IXI002-Guys-0828",
        "IXI-T1/IXI012-HH-1211-T1.nii.gz": "IXI012-HH-1211",
        "IXI-PD/IXI012-HH-1211-PD.nii.gz": "IXI012-HH-1211",
    },
    "IXI, one contrast": {
        "IXI002-Guys-0828-T1.nii.gz": "IXI002-Guys-0828",
        "IXI012-HH-1211-T1.nii.gz": "IXI012-HH-1211",
        "IXI014-HH-1236-T1.nii.gz": "IXI014-HH-1236",
    },
    "IXI, as it is called elsewhere": {
        "IXI556-HH-2452.nii.gz": "IXI556-HH-2452",
        "IXI201-HH-1588.nii.gz": "IXI201-HH-1588",
    },
    "contrasts in folders, the same names": {
        f"{contrast}/P{i:02}.nii.gz": f"P{i:02}" for contrast in ("T1", "T2", "PD") for i in range(5)
    },
    "contrasts of unknown names in folders": {
        f"{contrast}/case{i:02}.nii.gz": f"case{i:02}" for contrast in ("magic", "wonder") for i in range(5)
    },
    "OASIS-1, flat": {
        "OAS1_0001_MR1.img": "OAS1_0001",
        "OAS1_0061_MR1.img": "OAS1_0061",
        "OAS1_0061_MR2.img": "OAS1_0061",
    },
    "OASIS-1, discs": {
        "disc1/OAS1_0001_MR1/PROCESSED/MPRAGE/SUBJ_111/OAS1_0001_MR1_mpr_n4_anon_sbj_111.img": "OAS1_0001",
        "disc2/OAS1_0061_MR1/PROCESSED/MPRAGE/SUBJ_111/OAS1_0061_MR1_mpr_n4_anon_sbj_111.img": "OAS1_0061",
        "disc3/OAS1_0061_MR2/RAW/OAS1_0061_MR2_mpr-1_anon.img": "OAS1_0061",
    },
    "OASIS-3": {
        "OAS30001_MR_d0129/anat2/NIFTI/sub-OAS30001_ses-d0129_run-01_T1w.nii.gz": "OAS30001",
        "OAS30001_MR_d0757/anat2/NIFTI/sub-OAS30001_ses-d0757_run-01_T1w.nii.gz": "OAS30001",
        "OAS30002_MR_d0653/anat3/NIFTI/sub-OAS30002_ses-d0653_run-01_T1w.nii.gz": "OAS30002",
    },
    "ADNI": {
        "ADNI/002_S_0295/MP-RAGE/2006-04-18_08_20_30.0/I13722/ADNI_002_S_0295_MR_S13408_I13722.nii": "002_S_0295",
        "ADNI/002_S_0295/MP-RAGE/2006-11-02_08_16_44.0/I28561/ADNI_002_S_0295_MR_S21856_I28561.nii": "002_S_0295",
        "ADNI/011_S_0002/MP-RAGE/2005-08-26_11_31_00.0/I7362/ADNI_011_S_0002_MR_S9107_I7362.nii": "011_S_0002",
    },
    "ADNI, flat": {
        "ADNI_002_S_0295_MR_MPR_Br_20070319113435930_S13407_I45107.nii": "002_S_0295",
        "ADNI_002_S_0295_MR_MPR_Br_20080114112233445_S21855_I45112.nii": "002_S_0295",
        "ADNI_002_S_0413_MR_MPR_Br_20070319113623975_S13893_I45117.nii": "002_S_0413",
    },
    "BraTS 2021": {
        f"BraTS2021_{i:05}/BraTS2021_{i:05}_{c}.nii.gz": f"BraTS2021_{i:05}"
        for i in (0, 2, 3)
        for c in ("t1", "t1ce", "flair")
    },
    "BraTS 2019": {
        f"{grade}/BraTS19_{case}_1/BraTS19_{case}_1_{c}.nii.gz": f"BraTS19_{case}_1"
        for grade, case in (("HGG", "CBICA_AAB"), ("HGG", "CBICA_AAG"), ("LGG", "TCIA10_410"))
        for c in ("t1", "flair")
    },
    "BraTS 2023, whose last number is the visit": {
        "BraTS-GLI-00000-000/BraTS-GLI-00000-000-t1n.nii.gz": "BraTS-GLI-00000",
        "BraTS-GLI-00005-000/BraTS-GLI-00005-000-t1n.nii.gz": "BraTS-GLI-00005",
        "BraTS-GLI-00005-001/BraTS-GLI-00005-001-t2w.nii.gz": "BraTS-GLI-00005",
    },
    "UPENN-GBM, whose last number is the visit": {
        "UPENN-GBM-00001_11/UPENN-GBM-00001_11_T1.nii.gz": "UPENN-GBM-00001",
        "UPENN-GBM-00001_21/UPENN-GBM-00001_21_T1.nii.gz": "UPENN-GBM-00001",
        "UPENN-GBM-00002_11/UPENN-GBM-00002_11_T1.nii.gz": "UPENN-GBM-00002",
        "UPENN-GBM-00003_11/UPENN-GBM-00003_11_FLAIR.nii.gz": "UPENN-GBM-00003",
    },
    "UCSF-PDGM": {
        f"UCSF-PDGM-{i:04}_nifti/UCSF-PDGM-{i:04}_{c}.nii.gz": f"UCSF-PDGM-{i:04}" for i in (4, 5) for c in ("T1", "T2")
    },
    "LUMIERE": {
        f"Patient-{i:03}/week-{week}/{c}.nii.gz": f"Patient-{i:03}"
        for i in (1, 2)
        for week in ("000-1", "000-2", "012")
        for c in ("CT1", "FLAIR")
    },
    "KiTS": {f"case_{i:05}/imaging.nii.gz": f"case_{i:05}" for i in range(3)},
    "LiTS": {f"volume-{i}.nii": f"volume-{i}" for i in range(12)},
    "Decathlon": {f"imagesTr/hippocampus_{i:03}.nii.gz": f"hippocampus_{i:03}" for i in (1, 3, 4)},
    "Decathlon, two tasks": {
        f"{task}/imagesTr/{word}_{i:03}.nii.gz": f"{word}_{i:03}"
        for task, word in (("Task04_Hippocampus", "hippocampus"), ("Task05_Prostate", "prostate"))
        for i in range(1, 8)
    },
    "nnU-Net": {
        f"{part}/{case}_{channel:04}.nii.gz": case
        for part, case in (("imagesTr", "A_1"), ("imagesTr", "B_2"), ("imagesTs", "C_3"))
        for channel in (0, 1)
    },
    "BIDS": {f"sub-{i:02}/anat/sub-{i:02}_T1w.nii.gz": f"sub-{i:02}" for i in (1, 2)},
    "BIDS with sessions": {
        f"sub-{i:02}/ses-{s}/anat/sub-{i:02}_ses-{s}_T1w.nii.gz": f"sub-{i:02}" for i in (1, 2) for s in (1, 2)
    },
    "BIDS with derivatives": {
        f"{top}sub-{i:02}/anat/sub-{i:02}_desc-preproc_T1w.nii.gz": f"sub-{i:02}"
        for top in ("", "derivatives/x/")
        for i in (1, 2)
    },
    "CANDI": {
        f"{group}/{group}_{i:03}/{group}_{i:03}_procimg.nii": f"{group}_{i:03}"
        for group, low in (("HC", 1), ("BPDwithPsy", 30), ("BPDwoPsy", 50), ("SS", 70))
        for i in range(low, low + 9)
    },
    "autoPET": {
        "PETCT_0011f3deaf/03-23-2003-NA-PET-CT Ganzkoerper primaer mit KM-10445/CTres.nii.gz": "PETCT_0011f3deaf",
        "PETCT_0011f3deaf/10-21-2005-NA-PET-CT Ganzkoerper primaer mit KM-20445/CTres.nii.gz": "PETCT_0011f3deaf",
        "PETCT_01140d52d8/08-13-2005-NA-PET-CT Ganzkoerper primaer mit KM-56839/CTres.nii.gz": "PETCT_01140d52d8",
        "PETCT_01140d52d8/08-13-2005-NA-PET-CT Ganzkoerper primaer mit KM-56839/SUV.nii.gz": "PETCT_01140d52d8",
    },
    "TCIA, TCGA": {
        "TCGA-02-0033/1997-05-26-BRAIN/3-AX T1-98765": "TCGA-02-0033",
        "TCGA-02-0034/04-11-1997-MR BRAIN-88888/5-AX T1-12345": "TCGA-02-0034",
        "TCGA-06-0125/04-12-1997-MR BRAIN-99999/5-AX FLAIR-12346": "TCGA-06-0125",
    },
    "TCGA, flat contrasts": {
        f"TCGA_{case}/TCGA_{case}_{c}.nii.gz": f"TCGA_{case}"
        for case in ("FG_6688", "DU_8163", "DU_8164")
        for c in ("t1", "flair")
    },
    "TCIA, LIDC": {
        "LIDC-IDRI-0001/1.3.6.1.4.1.14519.5.298806/1.3.6.1.4.1.14519.5.179049": "LIDC-IDRI-0001",
        "LIDC-IDRI-0001/1.3.6.1.4.1.14519.5.298807/1.3.6.1.4.1.14519.5.179050": "LIDC-IDRI-0001",
        "LIDC-IDRI-0002/1.3.6.1.4.1.14519.5.490157/1.3.6.1.4.1.14519.5.619372": "LIDC-IDRI-0002",
    },
    "LUNA16": {
        f"subset{i}/1.3.6.1.4.1.14519.5.{n}.mhd": f"1.3.6.1.4.1.14519.5.{n}"
        for i, n in ((0, 105756), (0, 108197), (1, 104562), (1, 106164))
    },
    "HCP": {
        "100307/T1w/T1w_acpc_dc_restore.nii.gz": "100307",
        "100307/MNINonLinear/T1w_restore.nii.gz": "100307",
        "100408/T1w/T1w_acpc_dc_restore.nii.gz": "100408",
        "100408/MNINonLinear/T1w_restore.nii.gz": "100408",
    },
    "ATLAS, sites in folders": {
        f"R{site:03}/sub-r{site:03}s{i:03}/ses-1/anat/sub-r{site:03}s{i:03}_ses-1_T1w.nii.gz": f"sub-r{site:03}s{i:03}"
        for site in (1, 2)
        for i in (1, 2)
    },
    "ABIDE": {
        f"{site}/{number:07}/session_1/anat_1/mprage.nii.gz": f"{number:07}"
        for site, number in (
            ("CMU_a", 50642),
            ("CMU_a", 50646),
            ("KKI", 50772),
            ("KKI", 50773),
            ("NYU", 50952),
            ("NYU", 50953),
        )
    },
    "ACDC": {f"patient{i:03}/patient{i:03}_frame{f:02}.nii.gz": f"patient{i:03}" for i in (1, 2) for f in (1, 12)},
    "ISBI 2015, numbered visits": {
        f"training{i:02}/orig/training{i:02}_{v:02}_{c}.nii.gz": f"training{i:02}"
        for i in (1, 2, 3)
        for v in (1, 2, 3, 4)
        for c in ("flair", "t2")
    },
    "MIRIAD": {
        f"miriad_{i}_AD_M_{visit:02}_MR_{run}.nii": f"miriad_{i}_AD_M"
        for i in (188, 189, 190)
        for visit in (1, 2)
        for run in (1, 2)
    },
    "numbers alone": {f"{i:03}.nii.gz": f"{i:03}" for i in range(1, 12)},
    "one word with numbers": {f"P_{i:02}.nii.gz": f"P_{i:02}" for i in range(1, 12)},
    "four digits that are no channels": {f"amos_{i:04}.nii.gz": f"amos_{i:04}" for i in range(1, 12)},
    "letters as repeats": {f"P{i:02}_{r}.nii.gz": f"P{i:02}" for i in (1, 2, 3) for r in "ab"},
    "letters as repeats of one": {
        "P01_a.nii.gz": "P01",
        "P01_b.nii.gz": "P01",
        "P02_a.nii.gz": "P02",
        "P03.nii.gz": "P03",
    },
    "letters behind a number": {"P01a.nii.gz": "P01", "P01b.nii.gz": "P01", "P02a.nii.gz": "P02"},
    "numbered repeats": {f"P{i:02}_{r}.nii.gz": f"P{i:02}" for i in (1, 2, 3) for r in (1, 2)},
    "visits in names": {f"P{i:02}_visit{v}.nii.gz": f"P{i:02}" for i in (1, 2) for v in (1, 2)},
    "contrasts in names": {f"P{i:02}-{c}.nii.gz": f"P{i:02}" for i in (1, 2) for c in ("T1", "T2")},
    "before and after": {f"{i:03}_{v}.nii.gz": f"{i:03}" for i in (1, 2) for v in ("pre", "post")},
    "unknown words behind": {f"{i:03}_{w}.nii.gz": f"{i:03}" for i in (1, 2) for w in ("loud", "silent")},
    "dates behind": {"P01_20100203.nii.gz": "P01", "P01_20110405.nii.gz": "P01", "P02_2010-06-07.nii.gz": "P02"},
    "contrasts before": {f"{c}_P{i:02}.nii.gz": f"P{i:02}" for c in ("T1", "T2") for i in (1, 2)},
    "visits in folders": {f"visit{v}/{i:03}.nii.gz": f"{i:03}" for v in (1, 2) for i in (1, 2, 3)},
    "visits in a person's folder": {f"P{i}/visit{v}/T1.nii.gz": f"P{i}" for v in (1, 2) for i in (1, 2, 3)},
    "a person's folder with numbered files": {f"P{i}/{n:03}.nii.gz": f"P{i}" for i in (1, 2) for n in (1, 2, 3, 4)},
    "repeats in names of folders": {"P01_a/T1.nii.gz": "P01", "P01_b/T1.nii.gz": "P01", "P02_a/T1.nii.gz": "P02"},
    "names of people": {f"{name}/scan_{i}.nii.gz": name for name in ("Ann", "Ben", "Cleo") for i in (1, 2)},
    "hospitals in folders": {f"site{s}/P{s}{i:02}/T1.nii.gz": f"P{s}{i:02}" for s in (1, 2) for i in (1, 2, 3)},
    "hospitals in names": {f"{s}_{i:03}.nii.gz": f"{s}_{i:03}" for s in ("Bonn", "Bern") for i in range(1, 9)},
    "diagnoses in folders": {
        f"{g}/{i:03}.nii.gz": f"{i:03}" for g, low in (("AD", 1), ("CN", 20)) for i in range(low, low + 5)
    },
    "people who are called as visits are": {f"{p}/T{c}.nii.gz": p for p in ("M01", "M02", "F01") for c in (1, 2)},
    "visits of people who are called as visits are": {
        f"{p}/V{v}/a.nii": p for p in ("M01", "M02", "M03") for v in (1, 2)
    },
    "people who are called as visits are, in names": {
        f"{p}_T{c}.nii": p for p in ("M01", "M02", "F01") for c in (1, 2)
    },
    "numbers in folders that are numbers": {f"{p}/{i}.nii.gz": str(p) for p in (1, 2, 3) for i in (1, 2, 3, 4, 5)},
    "parts of the body in folders": {
        f"Task1/{body}/{p}/ct.nii.gz": p for body, p in (("pelvis", "1PA1"), ("pelvis", "1PA4"), ("brain", "1BA1"))
    },
    "one repeat of many people": {
        **{f"hippocampus_{i:03}.nii.gz": f"hippocampus_{i:03}" for i in range(1, 20)},
        "hippocampus_007_2.nii.gz": "hippocampus_007",
    },
    "copies among originals": {"raw/P01.nii": "P01", "processed/P01_bet.nii": "P01", "raw/P02.nii": "P02"},
    "left and right": {f"P{i:02}_{side}.nii": f"P{i:02}" for i in (1, 2) for side in "LR"},
    "people by name and surname": {f"{p}_T{c}.nii": p for p in ("john_doe", "jane_roe") for c in (1, 2)},
    "words in folders with many people": {
        f"{g}/K{i:03}.nii.gz": f"K{i:03}" for g, low in (("good", 1), ("bad", 20)) for i in range(low, low + 5)
    },
    "training and test": {"train/a.nii.gz": "a", "train/b.nii.gz": "b", "test/c.nii.gz": "c"},
    "people who are called as parts are": {
        f"test_{i:03}/{c}.nii.gz": f"test_{i:03}" for i in range(1, 5) for c in ("T1", "T2")
    },
    "people who are called as parts are, with any names behind": {
        f"train_{i:03}/scan_{c}.nii.gz": f"train_{i:03}" for i in range(1, 5) for c in "ab"
    },
    "people who are called as parts are, with one scan each": {
        f"val-{i:03}/ct.nii.gz": f"val-{i:03}" for i in range(1, 5)
    },
    "people who are called as parts are, with codes behind": {
        f"train_{i:03}/I{i}{n}7.nii.gz": f"train_{i:03}" for i in range(1, 5) for n in (1, 2)
    },
    "people who are called as images are": {
        f"image-{i:03}/{c}.nii.gz": f"image-{i:03}" for i in range(1, 5) for c in ("loud", "silent")
    },
    "people who are called as parts are, in parts": {
        f"{part}/{part}_{i:03}/{c}.nii.gz": f"{part}_{i:03}"
        for part in ("train", "test")
        for i in (1, 2, 3)
        for c in "ab"
    },
    "parts with numbers": {f"train_{part}/CASE{part}{i}.nii.gz": f"CASE{part}{i}" for part in (1, 2) for i in range(5)},
    "parts with and without numbers": {"train/A1.nii": "A1", "test_1/A2.nii": "A2", "test_2/A3.nii": "A3"},
    "parts of one year": {f"{part}_2021/{part[0]}.nii": part[0] for part in ("train", "val")},
    "folds": {f"fold_{fold}/CASE{fold}{i}.nii.gz": f"CASE{fold}{i}" for fold in (1, 2) for i in range(5)},
    "channels in parts": {f"images{part}/CASE{i}_0000.nii.gz": f"CASE{i}" for i, part in enumerate(("Tr", "Tr", "Ts"))},
    "numbered images of people": {
        f"{name}/image_{i}/{c}.nii.gz": name for name in ("Ann", "Ben") for i in (1, 2) for c in ("loud", "silent")
    },
    "UK Biobank, two visits": {
        f"100001{i}_20252_{visit}_0/T1/T1_unbiased_brain.nii.gz": f"100001{i}" for i in (7, 8) for visit in (2, 3)
    },
    "UK Biobank, two fields": {f"100001{i}_{field}_2_0.nii": f"100001{i}" for i in (7, 8) for field in (20252, 20253)},
    "any names": {"a.nii": "a", "b.nii.gz": "b", "c.NII.GZ": "c"},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_each_scan_is_its_person(layout):
    assert dict(zip(layout, read_subjects(list(layout)).subjects, strict=True)) == layout


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_neither_order_nor_folders_above_change_who_is_who(layout):
    draw = random.Random(0)
    for above in ("", "/data/", "T1/", "sub_3/P01/", "site1/labels/visit2/"):
        paths = draw.sample(list(layout), len(layout))
        assert read_subjects([above + path for path in paths]).subjects == [layout[path] for path in paths]


def test_nobody_is_on_two_sides_whatever_tells_scans_of_a_person_apart():
    draw = random.Random(0)
    for _ in range(200):
        contrasts, visits = (
            draw.sample(["T1", "T2", "FLAIR", "CT"], 2),
            draw.sample(["ses-1", "ses-2", "pre", "m06", "V1"], 2),
        )
        people = [f"{draw.choice(['P', 'case', 'IXI', ''])}{number:03}" for number in draw.sample(range(1, 900), 6)]
        form = draw.choice(
            ["{c}/{p}_{v}", "{p}/{v}/{c}", "{v}/{c}/{p}", "{p}_{v}_{c}", "{p}/{p}-{c}-{v}", "{v}/{p}/{c}"]
        )
        layout = {form.format(p=p, c=c, v=v) + ".nii.gz": p for p in people for c in contrasts for v in visits}
        assert read_subjects(list(layout)).subjects == list(layout.values()), list(layout)[:3]


@pytest.mark.parametrize("name", ["sub-{i:02}/anat/sub-{i:02}_T1w.nii.gz", "P{i:02}/T1.nii.gz", "P{i:02}.nii.gz"])
def test_cohorts_that_share_names_are_taken_for_the_same_people_and_that_is_said(name):
    reading = read_subjects([f"site{site}/" + name.format(i=i) for site in (1, 2) for i in (1, 2, 3)])
    assert len(set(reading.subjects)) == 3
    (doubt,) = reading.doubts
    assert (
        "site1" in doubt
        and "person" in doubt.replace("people", "person")
        and "CSV list with the columns image and subject" in doubt
    )


def test_what_can_be_read_in_one_way_alone_is_in_no_doubt():
    for name in (
        "IXI, a folder a contrast",
        "BIDS with sessions",
        "BIDS with derivatives",
        "nnU-Net",
        "KiTS",
        "autoPET",
    ):
        assert not read_subjects(list(LAYOUTS[name])).doubts


def test_one_person_alone_is_one_subject():
    assert set(read_subjects(["P01_T1.nii.gz", "P01_T2.nii.gz"]).subjects) == {"P01"}


def test_words_that_would_make_all_one_subject_are_people():
    assert len(set(read_subjects(["scan1.nii.gz", "scan2.nii.gz", "scan3.nii.gz"]).subjects)) == 3


@pytest.mark.parametrize(
    ("name", "basis"),
    [
        ("BIDS", "identifiers in the names of files and folders"),
        ("KiTS", "names of folders"),
        ("numbers alone", "names of files"),
        ("IXI, a folder a contrast", "names of files, less contrasts, visits and repeats"),
    ],
)
def test_what_says_who_is_who_is_told(name, basis):
    assert read_subjects(list(LAYOUTS[name])).basis == basis


def test_no_paths_have_no_subjects():
    assert read_subjects([]).subjects == []


def test_parts_with_numbers_that_are_not_taken_for_people_are_named():
    (doubt,) = read_subjects(list(LAYOUTS["parts with numbers"])).doubts
    assert "train_1, train_2 were taken for groups of people" in doubt
