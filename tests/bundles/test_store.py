"""What is done with scans of a store is what is done without one."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

from scripts.data.structures import Structures
from scripts.errors import InputError

BUNDLES = Path(__file__).parents[2] / "bundles"
BUNDLE = BUNDLES / "isimed_pretraining"


@pytest.fixture
def scan(write_scan, tmp_path):
    """A scan with a label map."""
    image = write_scan(tmp_path / "scan.nii.gz")
    label = write_scan(tmp_path / "label.nii.gz", voxels=nib.load(image).get_fdata() > 50)
    return {"image": str(image), "label": str(label), "subject": "A", "scan": 0}


@pytest.fixture
def parsed(tmp_path):
    """A function: configurations of a bundle with some settings."""

    def parse(bundle, *configs, **settings):
        parser = ConfigParser()
        parser.read_config([BUNDLES / bundle / "configs" / f"{name}.json" for name in configs])
        parser.update({"spacing": [2.0] * 3, "device": torch.device("cpu"), **settings})
        return parser

    return parse


def entries(tmp_path):
    return len(list((tmp_path / "store").iterdir()))


def test_an_evaluation_with_label_maps_finds_what_the_training_prepared(parsed, scan, tmp_path):
    crops, split = {}, {"train": [scan], "validate": []}
    for store in (str(tmp_path / "store"), None):
        parser = parsed("isimed_pretraining", "train", "evaluate", split=split, store_dir=store)
        parser["evaluate#structures"] = Structures(("body",), ((1,),), frozenset({0}))
        parser.get_parsed_content("train#dataset")
        crops[store] = parser.get_parsed_content("evaluate#preprocessing")(scan)
    assert entries(tmp_path) == 1
    for stored, loaded in zip(*crops.values(), strict=True):
        assert torch.equal(stored["image"], loaded["image"])
        assert torch.equal(stored["structure_shares"], loaded["structure_shares"]) and stored["structure_shares"][0] > 0


def test_test_scans_of_a_segmentation_are_prepared_once_for_all_trainings(parsed, scan, tmp_path):
    network = {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2}
    network |= {"channels": [2] * 3, "strides": [2] * 2}
    settings = {"network_def": network, "split": {"test": [scan]}, "classes": Structures(("body",), ((1,),))}
    found = []
    for number, store in enumerate((None, tmp_path / "store", tmp_path / "store")):
        torch.manual_seed(0)
        folders = {"output_dir": str(tmp_path / str(number)), "store_dir": store and str(store)}
        parsed("organ_segmentation", "train", **settings, **folders).get_parsed_content("test#evaluator").run()
        found.append(json.loads((tmp_path / str(number) / "metrics.json").read_text(encoding="utf-8")))
    assert found[0] == found[1] == found[2] and 0 < found[0]["dice"] < 1
    assert entries(tmp_path) == 1


def test_draws_of_a_pretext_task_are_not_kept_in_memory_that_has_no_room(parsed, scan, tmp_path, monkeypatch):
    settings = {"split": {"train": [scan], "validate": [scan]}, "output_dir": str(tmp_path)}
    kept = []
    for memory in (1e9, 1000.0):
        monkeypatch.setattr("scripts.data.store.room.memory_of_process", lambda memory=memory: memory)
        items = parsed("rotation_pretraining", "train", **settings).get_parsed_content("validate#dataset")
        kept.append((len(items.kept), len(items)))
    assert kept == [(1, 4), (0, 4)]


def test_scans_of_which_no_two_are_a_pair_may_be_in_a_store(parsed, scan, tmp_path):
    scans = [scan | {"modality": name, "subject": name} for name in ("t1", "ct")]
    settings = {
        "split": {"train": scans, "validate": scans},
        "store_dir": str(tmp_path / "store"),
        "crop_size": [8] * 3,
    }
    parser = parsed("cross_modal_generation", "train", "unpaired", **settings)
    parser.get_parsed_content("baselines")
    assert {"source", "other"} <= parser.get_parsed_content("validate#dataset")[0][0].keys()


def test_landmarks_are_sought_in_what_an_earlier_run_prepared(parsed, scan, tmp_path):
    store = {"store_dir": str(tmp_path / "store"), "scans": [scan]}
    loaded, first, again = (
        parsed("landmark_localization", "inference", **(settings | {"scans": [scan]})).get_parsed_content("dataset")[0]
        for settings in ({}, store, store)
    )
    assert entries(tmp_path) == 1
    for stored in (first, again):
        assert torch.equal(stored["image"], loaded["image"])
        assert np.array_equal(stored["image"].meta["spatial_shape"], loaded["image"].meta["spatial_shape"])


def test_a_store_that_cannot_be_written_ends_a_search_for_landmarks_with_one_sentence(parsed, scan, tmp_path):
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    settings = {"store_dir": str(tmp_path / "store"), "scans": [scan], "num_workers": 1}
    with pytest.raises(RuntimeError) as caught:
        next(iter(parsed("landmark_localization", "inference", **settings).get_parsed_content("dataloader")))
    assert isinstance(caught.value.__cause__, InputError)


@pytest.mark.slow
def test_losses_are_the_same_with_a_store(run, train, small, cohort, history, tmp_path):
    folders = {"output_dir": tmp_path / "run", "store_dir": tmp_path / "store"}
    run(BUNDLE, "train", dataset_dir=cohort, **folders, **small)
    (stored,), (in_memory,) = history(tmp_path / "run"), history(train(BUNDLE))
    losses = [name for name in stored if "loss" in name]
    assert losses and [stored[name] for name in losses] == [in_memory[name] for name in losses]
    assert len(list((tmp_path / "store").iterdir())) == 3  # of four scans, one is tested
