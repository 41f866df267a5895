"""The settings of what masks mean reach all that reads masks."""

import json
from pathlib import Path

import numpy as np
import pytest
from monai.bundle import ConfigParser

from scripts.errors import InputError

BUNDLES = Path(__file__).parents[2] / "bundles"
CLASSIFICATION, MAPS, PRETRAINING = (
    BUNDLES / name for name in ("lesion_classification", "lesion_map_segmentation", "isimed_pretraining")
)
SHAPE = (12, 11, 10)


@pytest.fixture
def cohort(write_scan, tmp_path):
    """A Decathlon folder: of four scans, three have a liver, and the second and fourth a cancer."""
    listing = {"labels": {"0": "background", "1": "liver", "2": "cancer"}, "training": []}
    for number, values in enumerate([(1, 1), (1, 2), (1, 1), (0, 2)]):
        mask = np.zeros(SHAPE)
        mask[2:8, 2:8, 2:8], mask[4, 4, 4] = values
        write_scan(tmp_path / f"imagesTr/{number}.nii", SHAPE, seed=number)
        write_scan(tmp_path / f"labelsTr/{number}.nii", voxels=mask, seed=number)
        listing["training"].append({"image": f"imagesTr/{number}.nii", "label": f"labelsTr/{number}.nii"})
    (tmp_path / "dataset.json").write_text(json.dumps(listing), encoding="utf-8")
    return tmp_path


def parsed(bundle, cohort, *names, **settings):
    """The configurations of a bundle for a cohort."""
    parser = ConfigParser()
    parser.read_config([bundle / "configs" / f"{name}.json" for name in names])
    parser.update({"bundle_root": str(bundle), "dataset_dir": str(cohort), **settings})
    return parser


def labels(scans):
    return [scan["class_label"] for scan in scans]


@pytest.mark.parametrize("name", ["train", "linear_probe"])
@pytest.mark.parametrize("values", [[2], ["cancer"]])
def test_a_scan_and_its_crops_have_a_lesion_where_the_values_are(cohort, name, values):
    parser = parsed(CLASSIFICATION, cohort, name, lesion_values=values)
    scans = parser.get_parsed_content("labelled")
    assert labels(scans) == [0, 1, 0, 1]
    load = parser.get_parsed_content("train#deterministic_transforms")[0]
    assert [int(load(scan)["label"].sum()) for scan in scans] == [0, 1, 0, 1]


def test_several_values_are_asked_about(cohort):
    with pytest.raises(RuntimeError, match="label_by_mask") as failed:
        parsed(CLASSIFICATION, cohort, "train").get_parsed_content("labelled")
    assert isinstance(failed.value.__cause__, InputError)
    assert "1 (liver), 2 (cancer), and which are the lesion is not said" in str(failed.value.__cause__)


def test_lesion_maps_are_compared_with_the_lesion_alone(cohort):
    parser = parsed(MAPS, cohort, "inference", "evaluate", training_split=None, lesion_values=[2])
    scans = parser.get_parsed_content("scans")
    assert [Path(scan["image"]).name for scan in scans] == ["1.nii", "3.nii"]
    load = parser.get_parsed_content("dataset#transform").transforms[0]
    assert [int(load(scan)["label"].sum()) for scan in scans] == [1, 1]


def test_whose_liver_has_no_cancer_is_free_of_lesions(cohort):
    settings = {"lesion_values": ["cancer"], "val_size": 1, "test_size": 1}
    split = parsed(PRETRAINING, cohort, "train", "lesion_free", **settings).get_parsed_content("split")
    assert {Path(scan["image"]).name for scan in split["train"]} == {"0.nii", "2.nii"}


@pytest.mark.parametrize("classes", [(1, 2, 4), (1, 2, 3)], ids=["challenge", "nnU-Net"])
def test_all_classes_of_a_brain_tumour_are_the_lesion(write_scan, tmp_path, classes):
    mask = np.zeros(SHAPE)
    mask[2, 2, 2:5] = classes
    case = tmp_path / "BraTS2021_00000"
    write_scan(case / "BraTS2021_00000_t1.nii.gz", SHAPE)
    write_scan(case / "BraTS2021_00000_seg.nii.gz", voxels=mask)
    parser = parsed(CLASSIFICATION, tmp_path, "train", "brats")
    scans = parser.get_parsed_content("labelled")
    load = parser.get_parsed_content("train#deterministic_transforms")[0]
    assert labels(scans) == [1] and int(load(scans[0])["label"].sum()) == 3
