"""The options of this bundle: grids of patches, each of which goes through the encoder once, and its controls."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate

BUNDLE = Path(__file__).parents[2] / "bundles" / "cpc_pretraining"


def parsed(*configs, **settings):
    parser = ConfigParser()
    parser.read_config([str(BUNDLE / "configs" / f"{name}.json") for name in configs])
    parser.update({"device": torch.device("cpu"), **settings})
    return parser


def batch_of(parser, scans, size=(66, 65, 64)):
    """What the engine makes of the regions of so many scans: what the network takes, and the target."""
    draw = parser.get_parsed_content("train#draw").set_random_state(0)
    generator = torch.Generator().manual_seed(0)
    affine = torch.diag(torch.tensor([2.0, 2, 2, 1], dtype=torch.float64))
    items = [
        {
            "image": MetaTensor(torch.randn(1, *size, generator=generator), affine=affine),
            "origin": torch.zeros(3, dtype=torch.float64),
            "scan": scan,
        }
        for scan in range(scans)
    ]
    image, target, _, _ = parser.get_parsed_content("train#prepare_batch")(list_data_collate(list(map(draw, items))))
    return image, target


@pytest.mark.slow
def test_all_options_together_train_a_plain_encoder(run, small, cohort, tmp_path):
    settings = small | {"cells": [2, 2, 2], "patch_size": [16, 16, 16], "code_size": 16, "context_size": 8}
    settings |= {"directions": "both", "normalize_cells": "false", "control": "borders"}
    run(BUNDLE, "train", dataset_dir=cohort, output_dir=tmp_path / "run", **settings)
    checkpoint = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    encoder = parsed("train").get_parsed_content("network_def")
    encoder.load_state_dict(torch.load(tmp_path / "run" / "encoder.pt", weights_only=True))
    assert checkpoint["loss"]["head.code.weight"].shape == (16, 256)
    assert len(checkpoint["optimizer"]["state"]) == len(list(encoder.parameters())) + len(checkpoint["loss"])
    assert torch.load(tmp_path / "run" / "head.pt", weights_only=True).keys() == checkpoint["loss"].keys()


def test_each_patch_of_a_step_goes_through_the_encoder_once():
    parser = parsed("train", code_size=8)
    image, target = batch_of(parser, scans=2)
    assert image.shape == (2 * 64, 1, 16, 16, 16)
    assert target["scan"].tolist() == 64 * [0] + 64 * [1]
    assert len(parser.get_parsed_content("loss").correct(torch.randn(len(image), 256), target)) == 2 * 32


def test_patches_stand_side_by_side():
    _, target = batch_of(parsed("train"), scans=1)
    voxel = target["voxel"].reshape(4, 4, 4, 3)
    for axis in range(3):
        step = 16 * torch.eye(3)[axis]
        assert torch.allclose(voxel.diff(dim=axis), step, atol=1e-3)


def test_each_patch_has_seven_eighths_of_its_voxels_with_zeros_round_them():
    image, _ = batch_of(parsed("train"), scans=1)
    assert ((image != 0).flatten(1).sum(1) == 14**3).all()
    assert (image[:, :, 1:-1, 1:-1, 1:-1] != 0).all()


def test_half_of_the_patches_are_flipped_along_their_first_axis():
    parser = parsed("train", normalize_cells=False)
    ramp = torch.arange(1.0, 67)[None, :, None, None].expand(1, 66, 65, 64).clone()
    item = {"image": MetaTensor(ramp), "origin": torch.zeros(3, dtype=torch.float64), "scan": 0}
    patches = parser.get_parsed_content("train#draw").set_random_state(0)(item)
    flipped = [bool(patch["image"][0, 4, 8, 8] > patch["image"][0, 11, 8, 8]) for patch in patches]
    assert 16 < sum(flipped) < 48  # 32 on average, with a standard deviation of 4


def test_in_a_slice_there_are_eight_predictions_a_region():
    parser = parsed("train", "axial_slices", code_size=8)
    image, target = batch_of(parser, scans=2)
    size = parser.get_parsed_content("patch_size")
    assert image.shape == (2 * 16, 1, *size) and size[-1] == 1
    embedding = parser.get_parsed_content("crop_inferer")(image, parser.get_parsed_content("network_def"))
    assert parser.get_parsed_content("loss").chance(target).tolist() == pytest.approx(16 * [1 / 16])
    assert parser.get_parsed_content("loss")(embedding, target).isfinite()


@pytest.mark.slow
def test_a_mistake_is_answered_with_one_sentence(run, small, cohort, tmp_path):
    settings = small | {"dataset_dir": cohort, "output_dir": tmp_path / "run", "directions": "back"}
    output = run(BUNDLE, "train", status=1, **settings)
    assert 'error: directions is "back": give one of forward, both' in output and "Traceback" not in output
