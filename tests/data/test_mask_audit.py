"""Masks are read before training, and all that is wrong with them is said at once."""

import logging
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from scripts.data.labels import label_by_mask
from scripts.data.mask_audit import audited_masks
from scripts.data.mask_meaning import BINARY, MaskMeaning
from scripts.errors import InputError

SHAPE = (6, 5, 4)


@pytest.fixture
def scans(write_scan, tmp_path):
    """A function: scans of which each has a mask with this value in one voxel; of lists, several masks."""

    def write(*values):
        return [scan(number, value) for number, value in enumerate(values)]

    def scan(number, value):
        image = write_scan(tmp_path / f"{number}.nii.gz", shape=SHAPE, seed=0)
        several = enumerate(value) if isinstance(value, list) else [("", value)]
        paths = [mask(f"{number}_mask{part}.nii.gz", one) for part, one in several]
        return {"image": str(image), "label": paths if isinstance(value, list) else paths[0], "subject": str(number)}

    def mask(name, value):
        voxels = np.zeros(SHAPE)
        voxels[1, 2, 3] = value
        return str(write_scan(tmp_path / name, voxels=voxels, seed=0))

    return write


def test_facts_are_those_of_each_scans_masks(scans):
    facts = audited_masks(scans(0, 1, [0, 1]), BINARY)
    assert [one.has_lesion for one in facts] == [False, True, True]
    assert [set(one.values) for one in facts] == [set(), {1}, {1}]


def test_a_mask_is_read_once(scans, monkeypatch):
    items, loaded = scans(0, 1), []
    load = nibabel.load
    monkeypatch.setattr(nibabel, "load", lambda path: loaded.append(str(path)) or load(path))
    for _ in range(3):
        audited_masks(items, BINARY)
    assert [loaded.count(scan["label"]) for scan in items] == [1, 1]


def test_a_mask_that_was_mended_is_read_again(scans):
    (item,) = scans(-1)
    with pytest.raises(InputError, match="has values below 0"):
        audited_masks([item], BINARY)
    scans(1)  # the same files
    os.utime(item["label"], (0, 0))  # a clock that is too coarse to tell them apart
    assert audited_masks([item], BINARY)[0].has_lesion


def test_all_faults_are_said_at_once(scans):
    items = scans(1, -1, np.nan, 0.5, [1, 2.5])
    with pytest.raises(InputError) as refused:
        audited_masks(items, BINARY)
    sentence = str(refused.value)
    assert sentence.startswith("4 masks cannot be used: ")
    for part in ("1_mask.nii.gz has values below 0", "2_mask.nii.gz has 1 voxels that are NaN"):
        assert part in sentence
    for part in ("3_mask.nii.gz has 0.5 as its one number", "4_mask1.nii.gz has numbers that are not whole"):
        assert part in sentence


def test_ten_faults_are_named_and_the_others_counted(scans):
    with pytest.raises(InputError, match=r"12 masks cannot be used: .*; and 2 more\. Mend them") as refused:
        audited_masks(scans(*[-1] * 12), BINARY)
    assert str(refused.value).count("mask.nii.gz") == 10


def test_a_mask_that_cannot_be_read_is_named(scans):
    (item,) = scans(1)
    Path(item["label"]).write_bytes(b"no scan")
    with pytest.raises(InputError, match=r"1 mask cannot be used: .*0_mask.nii.gz cannot be read \(.*\)\. Mend"):
        audited_masks([item], BINARY)


def test_what_is_alike_is_said_once(scans):
    with pytest.raises(InputError, match=r"0_mask.nii.gz, .*2_mask.nii.gz has values below 0 \(-1\); .*1_mask"):
        audited_masks(scans(-1, -2, -1), BINARY)


def test_values_that_differ_from_mask_to_mask_are_asked_about(scans):
    with pytest.raises(InputError, match="several values above 0, 1, 2, and which are the lesion is not said"):
        audited_masks(scans(1, 2), BINARY)


def test_a_value_that_no_mask_has_is_refused(scans):
    with pytest.raises(InputError, match=r"lesion_values is \[3\], which no mask has: theirs are 1, 2 \(cancer\)"):
        audited_masks(scans(1, 2), MaskMeaning((3,), names=(("cancer", 2),)))


def test_empty_masks_have_no_value_that_could_be_asked_for(scans):
    assert not any(one.has_lesion for one in audited_masks(scans(0, 0), MaskMeaning((3,))))


def test_the_organ_alone_is_no_lesion(scans):
    labelled = label_by_mask(scans(1, 2), MaskMeaning((2,)))
    assert [scan["class_label"] for scan in labelled] == [0.0, 1.0]


def test_fractions_are_cut_with_a_warning_that_names_the_files(scans, oblique, caplog):
    items = scans(*[1] * 5)
    for scan in items:
        voxels = np.linspace(0, 1, 120).reshape(SHAPE)
        nibabel.save(nibabel.Nifti1Image(voxels, oblique(0)), scan["label"])
    audited_masks(items, BINARY)
    (text,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "5 masks have fractions between 0 and 1 and are cut at a half" in text
    assert "0_mask.nii.gz" in text and "2_mask.nii.gz and 2 more" in text


def test_which_masks_are_united_is_said(scans, caplog):
    with caplog.at_level(logging.INFO):
        audited_masks(scans(1, [0, 1]), BINARY)
    assert "1 scans have several masks, which are united" in caplog.text
    assert "1_mask0.nii.gz" in caplog.text and "1_mask1.nii.gz" in caplog.text
