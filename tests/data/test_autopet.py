"""Studies of FDG-PET-CT-Lesions, and who of its patients is trained on."""

import json
import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from monai.bundle import ConfigParser

from scripts.data.autopet import find_autopet
from scripts.data.lesion_free_split import split_lesion_free
from scripts.errors import InputError

BUNDLES = Path(__file__).parents[2] / "bundles"
PRETRAINING = sorted(path.parents[1] for path in BUNDLES.glob("*_pretraining/configs/autopet.json"))
FILES = ("CT", "CTres", "PET", "SUV", "SEG")
STUDY = "{}-12-2003-NA-PET-CT Ganzkoerper  primaer mit KM-94422"


@pytest.fixture
def write_study(tmp_path):
    """A function: write a study of a patient, with or without a lesion; the data set's folder is returned."""

    def write(patient, study=0, lesion=False, slices=4, files=FILES, root=tmp_path / "FDG-PET-CT-Lesions"):
        folder = root / f"PETCT_{patient}" / STUDY.format(f"{study:02d}")
        folder.mkdir(parents=True, exist_ok=True)
        for name in files:
            voxels = np.zeros((3, 3, slices), np.uint8)
            voxels[1, 1, 1] = lesion or name != "SEG"
            nib.save(nib.Nifti1Image(voxels, np.diag([2, 2, 3, 1])), folder / f"{name}.nii.gz")
        return root

    return write


@pytest.fixture
def cohort(write_study):
    """Patients 0 to 3 with a healthy study, 4 to 9 without; odd ones have a second study, with a lesion."""
    for patient in range(10):
        root = write_study(patient, 0, lesion=patient >= 4)
        if patient % 2:
            write_study(patient, 1, lesion=True)
    return root


def patients(scans):
    return {int(scan["subject"].removeprefix("PETCT_")) for scan in scans}


def test_a_study_is_a_scan_of_its_patient(cohort):
    scans = find_autopet(cohort)
    assert len(scans) == 15 and patients(scans) == set(range(10))
    assert [scan["scan"] for scan in scans] == list(range(15))
    assert [scan["image"] for scan in scans] == sorted(scan["image"] for scan in scans)
    study = cohort / "PETCT_1" / STUDY.format("01")
    assert scans[2] == {
        "image": str(study / "CTres.nii.gz"),
        "subject": "PETCT_1",
        "label": str(study / "SEG.nii.gz"),
        "scan": 2,
    }


def test_the_image_may_be_pet(cohort):
    assert {Path(scan["image"]).name for scan in find_autopet(cohort, "SUV")} == {"SUV.nii.gz"}


@pytest.mark.parametrize("image", ["CT", "PET", "ctres"])
def test_an_image_in_another_grid_than_the_mask_is_refused(cohort, image):
    with pytest.raises(InputError, match=f"image is {image}: give CTres or SUV"):
        find_autopet(cohort, image)


def test_the_folder_above_the_patients_is_searched_too_and_paths_are_absolute(cohort, monkeypatch):
    monkeypatch.chdir(cohort.parent)
    assert find_autopet(".") == find_autopet(cohort)


def test_hidden_files_and_tables_are_no_studies(cohort):
    before = find_autopet(cohort)
    for name in (".DS_Store", "PETCT_0/.DS_Store", "PETCT_0/notes.txt", "fdg_metadata.csv"):
        (cohort / name).touch()
    (cohort / "PETCT_0" / ".cache").mkdir()
    assert find_autopet(cohort) == before


@pytest.mark.parametrize("lacking", ["CTres", "SEG"])
def test_a_study_without_image_or_mask_is_named(cohort, write_study, lacking):
    write_study("f", files=[name for name in FILES if name != lacking])
    with pytest.raises(InputError, match=rf"no .*PETCT_f.*{lacking}\.nii\.gz: complete the data set"):
        find_autopet(cohort)


def test_of_many_missing_files_the_first_are_named(write_study):
    for patient in range(5):
        root = write_study(patient, files=["CTres"])
    with pytest.raises(InputError, match=r"PETCT_0.*PETCT_1.*PETCT_2.* and 2 more: complete"):
        find_autopet(root)


def test_studies_of_more_than_400_slices_are_left_out_and_counted(write_study, caplog):
    write_study("a", slices=400)
    root = write_study("b", slices=401)
    with caplog.at_level(logging.INFO):
        assert [scan["subject"] for scan in find_autopet(root)] == ["PETCT_a"]
    assert "1 studies of more than 400 slices are left out." in caplog.text
    assert "1 scan of 1 subject," in caplog.text


def test_studies_that_are_all_too_long_are_refused(write_study):
    with pytest.raises(InputError, match="All 1 studies have more than 400 slices"):
        find_autopet(write_study("a", slices=401))


def test_an_image_that_cannot_be_read_is_named(cohort):
    next(cohort.glob("PETCT_3/*/CTres.nii.gz")).write_bytes(b"no NIfTI")
    with pytest.raises(InputError, match=r"PETCT_3.*CTres\.nii\.gz cannot be read"):
        find_autopet(cohort)


@pytest.mark.parametrize("name", [None, "nowhere"])
def test_without_a_folder_the_expected_one_is_said(tmp_path, name):
    with pytest.raises(InputError, match=r"dataset_dir is .*(None|nowhere), .*PETCT_<patient>/<study>/"):
        find_autopet(name and tmp_path / name)


def test_a_folder_of_something_else_is_refused_with_the_expected_layout(tmp_path):
    (tmp_path / "PETCT_a").mkdir()
    with pytest.raises(InputError, match=r"no studies in .*PETCT_<patient>/<study>/ with CTres"):
        find_autopet(tmp_path)


def overlay(bundle, name="autopet"):
    return json.loads((bundle / "configs" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("bundle", PRETRAINING, ids=lambda path: path.name)
def test_the_overlay_finds_the_scans_and_splits_them(cohort, bundle):
    parser = ConfigParser()
    parser.read_config([bundle / "configs" / "train.json", bundle / "configs" / "autopet.json"])
    parser.update({"dataset_dir": str(cohort), "val_size": 2, "test_size": 4})
    parser["scans"] = "@cohort"  # empty files, which no audit passes
    parser["split#scans"] = "@scans"  # whether or not tables know of them
    assert parser.get_parsed_content("cohort") == find_autopet(cohort)
    assert parser.get_parsed_content("split") == split_lesion_free(find_autopet(cohort), 2, 4, seed=0)
