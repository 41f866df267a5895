"""An image of one modality is made from another, as users have it made: trained, resumed, made, judged."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.bundle import ConfigParser
from monai.transforms import Compose

from scripts.data.synthetic import is_synthetic
from scripts.networks.weights import read_weights

BUNDLE = Path(__file__).parents[2] / "bundles" / "cross_modal_generation"
SHAPE, SUBJECTS = (34, 30, 26), 5
TINY = {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 1, "channels": [4, 8], "strides": [2]}
SMALL = {"crop_size": [16, 16, 16], "batch_size": 2, "crops_per_volume": 2, "amp": False, "spacing": [2.0, 2.0, 2.0]}


@pytest.fixture(scope="module")
def scans(write_scan, tmp_path_factory):
    """Folder of five subjects with T1 and CT on two grids; the CT of another is synthetic by its name."""
    folder, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for number in range(SUBJECTS + 1):
        body = np.zeros(SHAPE)
        body[4:-4, 4:-4, 4:-4] = 1
        affine = np.diag([2.0, 2.0, 2.0, 1.0])
        beyond = affine + np.outer([0, 0, 2, 0], [0, 0, 0, 1])  # begins with the second slice
        name = folder / f"P{number}" / f"P{number}"
        t1, ct = (mean * body + 10 * rng.random(SHAPE) for mean in (200, 1040))
        write_scan(f"{name}_t1.nii.gz", voxels=t1, affine=affine)
        mark = "_synthetic" if number == SUBJECTS else ""
        write_scan(f"{name}_ct{mark}.nii.gz", voxels=ct[:, :, 1:] - 1000, affine=beyond)
    return folder


@pytest.fixture
def training(scans, tmp_path):
    """A function: the configuration of a training of tiny networks with overlays, and its trainer."""

    def make(*overlays, name="run", **settings):
        parser = ConfigParser()
        parser.read_config([BUNDLE / "configs" / f"{overlay}.json" for overlay in ("train", *overlays)])
        flat = {"spatial_dims": 2} if "axial_slices" in overlays else {}
        small = SMALL | {"crop_size": [16, 16, 1]} if flat else SMALL
        nets = {key: TINY | flat for key in ("network_def", "back_def") if key in parser}
        given = {"dataset_dir": str(scans), "output_dir": str(tmp_path / name), "val_size": 1, "test_size": 1}
        parser.update(small | nets | given | {"max_epochs": 2, "device": torch.device("cpu")} | settings)
        for key in ("discriminator_def", "other_discriminator_def"):
            if key in parser:
                parser[f"{key}#channels"] = 4
        torch.manual_seed(0)
        return parser, parser.get_parsed_content("train#trainer")

    return make


def weights(parser):
    return [one.detach().clone() for key in ("network", "loss") for one in parser.get_parsed_content(key).parameters()]


@pytest.mark.parametrize("overlays", [(), ("unpaired",), ("axial_slices",), ("axial_slices", "unpaired")])
def test_generators_and_discriminators_learn_and_one_generator_is_kept(training, overlays, tmp_path):
    parser, trainer = training(*overlays, max_epochs=1)
    before = weights(parser)
    trainer.run()
    changed = [not torch.equal(one, other) for one, other in zip(before, weights(parser), strict=True)]
    assert sum(changed) > 0.9 * len(changed)
    kept, network = read_weights(tmp_path / "run" / "models" / "model.pt"), parser.get_parsed_content("network_def")
    assert all(torch.equal(kept[name], tensor) for name, tensor in network.state_dict().items())
    assert np.isfinite(parser.get_parsed_content("validate#evaluator").state.metrics["validation_loss"])


@pytest.mark.parametrize("overlays", [(), ("unpaired",)])
def test_a_training_that_was_stopped_goes_on_as_one_that_was_not(training, overlays):
    whole, trainer = training(*overlays, name="whole")
    trainer.run()
    _, trainer = training(*overlays, name="stopped")
    trainer.add_event_handler(Events.EPOCH_STARTED(once=2), lambda: trainer.terminate())
    trainer.run()
    resumed, trainer = training(*overlays, name="stopped", resume=True)
    trainer.run()
    assert all(torch.equal(one, other) for one, other in zip(weights(whole), weights(resumed), strict=True))


def test_the_discriminator_is_of_pairs_and_its_state_is_in_the_checkpoint(training):
    parser, _ = training()
    assert parser.get_parsed_content("adversary").discriminator.initial_conv.conv.in_channels == 2
    state = parser["train"]["state"]
    assert {"network", "optimizer", "loss", "discriminator_optimizer", "discriminator_scheduler"} < state.keys()


def test_the_weights_of_the_losses_are_those_of_the_papers():
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", "unpaired")])
    assert [parser[key] for key in ("l1_weight", "cycle_weight", "identity_weight")] == [100, 10, 0.5]


def test_no_synthetic_image_is_trained_on(training):
    split = training()[0].get_parsed_content("split")
    assert {scan["subject"] for part in split.values() for scan in part} == {f"P{i}" for i in range(SUBJECTS)}


def test_what_the_target_does_not_show_is_not_covered(training, write_scan, tmp_path):
    rng, affine = np.random.default_rng(0), np.diag([2.0, 2.0, 2.0, 1.0])
    for number in range(3):
        body = np.zeros(SHAPE)
        body[4:-4, 4:-4, 4:-4] = 1
        voxels = 900 * body - 1000 + 50 * rng.random(SHAPE)
        write_scan(tmp_path / f"P{number}_t1.nii.gz", voxels=200 * body + 20 * rng.random(SHAPE), affine=affine)
        write_scan(tmp_path / f"P{number}_ct.nii.gz", voxels=voxels[..., :13], affine=affine)
    parser, trainer = training(dataset_dir=str(tmp_path))
    (scan,) = parser.get_parsed_content("split")["train"]
    scan = Compose(parser.get_parsed_content("train#deterministic_transforms"))(scan)
    assert scan["covered"].dtype == torch.bool
    assert scan["covered"][0].any(0).any(0).tolist() == [True] * 9 + [False] * 9
    assert next(iter(trainer.data_loader))["covered"].shape == (2, 1, 16, 16, 16)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "cr"}, "has the modality cr: there are ct (6 subjects), t1 (6 subjects)"),
        ({"source": "t2"}, "has the modality t2: there are ct (6 subjects), t1 (6 subjects)"),
        ({"target": "t1"}, "source and target are both t1"),
        ({"target_range": "[100,0]"}, "target_range is [100, 0]: give two numbers"),
        ({"sorce": "t1"}, "did you mean source?"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence(run, scans, tmp_path, settings, said):
    output = run(BUNDLE, "train", dataset_dir=scans, output_dir=tmp_path / "run", status=1, **settings)
    assert "error: " in output and said in output and "Traceback" not in output
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


@pytest.fixture(scope="module")
def trained(run, scans, tmp_path_factory):
    """Folder of a run of an epoch."""
    output = tmp_path_factory.mktemp("generation") / "run"
    run(
        BUNDLE, "train", dataset_dir=scans, output_dir=output, max_epochs=1, val_size=1, test_size=1, crops_per_volume=1
    )
    return output


@pytest.mark.slow
def test_a_run_leaves_weights_with_what_they_are_used_with(trained):
    for name in ("model.pt", "baselines.pt", "config.json", "split.json", "target.json"):
        assert (trained / "models" / name).is_file()
    assert json.loads((trained / "models" / "target.json").read_text("utf-8")) == {
        "modality": "ct",
        "range": [-1000, 1000],
    }


@pytest.mark.slow
def test_each_source_has_its_image_in_its_own_grid_marked_as_made(run, scans, trained, tmp_path):
    sources = tmp_path / "sources"
    sources.mkdir()
    for number in (0, 1):
        (sources / f"P{number}_t1.nii.gz").symlink_to(scans / f"P{number}" / f"P{number}_t1.nii.gz")
    settings = {"dataset_dir": sources, "model": trained / "models" / "model.pt"}
    run(BUNDLE, "inference", source="t1", target="ct", output_dir=tmp_path / "out", **settings)
    made, scan = nibabel.load(tmp_path / "out" / "P1_ct.nii.gz"), nibabel.load(sources / "P1_t1.nii.gz")
    assert made.shape == scan.shape and np.allclose(made.affine, scan.affine) and is_synthetic(made.get_filename())
    assert made.get_fdata()[0, 0, 0] == -1000 and made.get_fdata().max() <= 1000
    said = run(BUNDLE, "inference", target="pet", output_dir=tmp_path / "other", status=1, **settings)
    assert 'target is "pet", but the run in' in said and "Traceback" not in said


@pytest.mark.slow
def test_test_subjects_alone_are_judged_beside_the_baselines(run, scans, trained, tmp_path):
    settings = {"model": trained / "models" / "model.pt", "output_dir": tmp_path / "out"}
    run(BUNDLE, "inference", "evaluate", dataset_dir=scans, **settings)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["subjects"] == 1 and metrics["mae_voxelwise"] < 60  # the bodies are of one intensity
    names = ("mae", "psnr", "ssim", "mae_bone", "mae_soft_tissue", "mae_air")
    assert {f"{name}{which}" for name in names for which in ("", "_mean_image", "_voxelwise")} <= metrics.keys()
    assert (tmp_path / "out" / "report.html").is_file()
