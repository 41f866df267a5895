"""Networks of two dimensions, by one overlay: pretraining, and segmentation that begins with its weights."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

BUNDLES = Path(__file__).parents[2] / "bundles"
OVERLAID = sorted(path.parents[1] for path in BUNDLES.glob("*/configs/axial_slices.json"))
PRETRAINING = [bundle for bundle in OVERLAID if bundle.name.endswith("_pretraining")]
TWO_VIEWS = [bundle for bundle in PRETRAINING if (bundle / "configs" / "anatomical_views.json").is_file()]
SEGMENTER = BUNDLES / "organ_segmentation"


def parsed(bundle, *configs, **settings):
    parser = ConfigParser()
    parser.read_config([bundle / "configs" / f"{name}.json" for name in configs])
    parser.update({"device": torch.device("cpu"), **settings})
    return parser


def test_all_pretrainings_but_that_of_places_have_the_overlay_and_what_draws_or_makes_images():
    of_volumes = BUNDLES / "drasclr_pretraining"  # its places and those next to them are of three axes
    others = {SEGMENTER, BUNDLES / "cross_modal_generation", BUNDLES / "interactive_mil_classification"}
    assert {*OVERLAID, of_volumes} == {*BUNDLES.glob("*_pretraining")} | others


@pytest.mark.parametrize("encoder", [(), ("unet_encoder",)], ids=["DenseNet121", "U-Net"])
@pytest.mark.parametrize("config", ["train", "inference"])
@pytest.mark.parametrize("bundle", PRETRAINING, ids=lambda path: path.name)
@pytest.mark.one_of_a_kind
def test_an_encoder_embeds_crops_of_one_slice(bundle, config, encoder):
    parser = parsed(bundle, config, "axial_slices", *encoder, embedding_size=8)
    network = parser.get_parsed_content("network_def").eval()
    embeddings = parser.get_parsed_content("crop_inferer")(torch.randn(2, 1, *parser["crop_size"]), network)
    assert embeddings.shape == (2, 8)
    assert not [name for name, tensor in network.state_dict().items() if tensor.ndim == 5]


@pytest.mark.parametrize("bundle", TWO_VIEWS, ids=lambda path: path.name)
@pytest.mark.parametrize("overlays", [(), ("anatomical_views",)], ids=["views", "anatomical_views"])
def test_views_of_a_slice_are_slices_that_differ(bundle, overlays):
    parser = parsed(bundle, "train", "axial_slices", *overlays)
    size = parser.get_parsed_content("train#crops#roi_size")
    one, other = parser.get_parsed_content("train#views")({"image": torch.randn(1, *size)})["image"]
    assert one.shape == other.shape == (1, 64, 64, 1)
    assert not torch.equal(one, other) and one.std() > 0


def test_augmentation_turns_a_slice_within_its_plane_alone():
    parser = parsed(SEGMENTER, "train", "axial_slices")
    affine = parser.get_parsed_content("train#augmentation").transforms[0]
    affine.prob, affine.rand_affine.prob = 1.0, 1.0
    affine.set_random_state(0)
    affine.randomize(None)
    affine.rand_affine.randomize()
    rotation = affine.rand_affine.rand_affine_grid.rotate_params
    assert rotation[:2] == [0, 0] and rotation[2] != 0


@pytest.fixture(scope="module")
def organs(write_scan, tmp_path_factory):
    """Three small bodies with an organ each, and their label maps, oblique and anisotropic."""
    root = tmp_path_factory.mktemp("organs")
    for number in range(3):
        shape, voxels = (44, 42, 30), np.zeros((44, 42, 30))
        voxels[12:30, 10:28, 8:22] = 1
        write_scan(root / "imagesTr" / f"P{number}_0000.nii.gz", shape, seed=number)
        write_scan(root / "labelsTr" / f"P{number}.nii.gz", voxels=voxels, seed=number)
    return root


SHORT = {"spacing": [3.0, 3.0, 5.0], "crop_size": [32, 32, 1], "max_epochs": 1, "threads": 1, "crops_per_volume": 2}


@pytest.fixture(scope="module")
def encoder(run, organs, tmp_path_factory):
    """Weights of a pretraining of one step on slices."""
    output = tmp_path_factory.mktemp("slices") / "run"
    settings = SHORT | {"val_size": 1, "test_size": 1, "dataset_dir": organs, "output_dir": output}
    run(BUNDLES / "isimed_pretraining", "train", "axial_slices", "unet_encoder", **settings)
    return output / "encoder.pt"


@pytest.mark.slow
def test_segmentation_in_slices_begins_with_an_encoder_of_slices_and_draws_volumes(run, organs, encoder, tmp_path):
    settings = SHORT | {"folds": 3, "dataset_dir": organs, "encoder": encoder, "pretraining_split": "null"}
    run(SEGMENTER, "train", "axial_slices", output_dir=tmp_path / "run", **settings)
    kept = torch.load(tmp_path / "run" / "models" / "model.pt", weights_only=True)
    assert {tensor.ndim for name, tensor in kept.items() if tensor.ndim > 1} == {4}
    settings = {key: SHORT[key] for key in ("spacing", "crop_size", "threads")} | {"passes": 2, "dataset_dir": organs}
    settings |= {"model": tmp_path / "run" / "models" / "model.pt", "output_dir": tmp_path / "out"}
    run(SEGMENTER, "inference", "axial_slices", "evaluate", "mc_dropout", **settings)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))["scans"] == 1
    for path in tmp_path.glob("out/*.nii.gz"):
        assert nibabel.load(path).shape == (44, 42, 30)


@pytest.mark.slow
def test_an_encoder_of_volumes_is_refused_for_slices_in_one_sentence(run, organs, tmp_path):
    parser = parsed(BUNDLES / "isimed_pretraining", "train", "unet_encoder", embedding_size=8)
    torch.save(parser.get_parsed_content("network_def").state_dict(), tmp_path / "encoder.pt")
    settings = SHORT | {"folds": 3, "dataset_dir": organs, "encoder": tmp_path / "encoder.pt"}
    settings |= {"pretraining_split": "null", "output_dir": tmp_path / "run"}
    said = run(SEGMENTER, "train", "axial_slices", status=1, **settings)
    assert "are no encoder of this network: they have in another shape" in said and "Traceback" not in said
    assert not (tmp_path / "run" / "config.json").exists()
