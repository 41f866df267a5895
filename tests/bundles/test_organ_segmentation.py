"""Organs are segmented as users do it: trained, told of, drawn in the scan's own grid."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.networks.nets import UNet

from scripts.data.phantom_body import LABELLED
from scripts.data.structures import Structures
from scripts.distributed import rank

BUNDLE = Path(__file__).parents[2] / "bundles" / "organ_segmentation"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_classes_of_the_weights_are_those_that_a_server_shows():
    outputs = read(BUNDLE / "configs" / "metadata.json")["network_data_format"]["outputs"]["pred"]
    labels = read(BUNDLE / "models" / "labels.json")
    assert {"0": "background"} | {str(value): name for name, (value,) in labels.items()} == outputs["channel_def"]
    assert outputs["num_channels"] == 1 + len(labels)
    network_def = read(BUNDLE / "configs" / "inference.json")["network_def"]
    assert network_def["out_channels"].endswith(f"else {1 + len(labels)}")


@pytest.mark.parametrize(
    "overlay", sorted(BUNDLE.parent.glob("*_pretraining/configs/unet_encoder.json")), ids=lambda path: path.parts[-3]
)
def test_the_encoder_of_a_u_net_fits_the_network_of_segmentation_by_its_names(overlay):
    parser = ConfigParser()
    parser.read_config([overlay.with_name("train.json"), overlay])
    encoder = parser.get_parsed_content("network_def").state_dict()
    segmenter = ConfigParser(read(BUNDLE / "configs" / "train.json"))
    segmenter["network_def#out_channels"] = 3
    network = segmenter.get_parsed_content("network_def")
    parts = tuple(f"{part}." for part in segmenter["encoder_parts"])
    own = {name: tensor.shape for name, tensor in network.state_dict().items() if name.startswith(parts)}
    assert {name: encoder[name].shape for name in encoder if not name.startswith("last.")} == own


@pytest.fixture
def with_dropout(write_scan, tmp_path):
    """A function: run the evaluator of configurations with mc_dropout.json on a scan, with a network as it is drawn."""

    def evaluate(*configs):
        scan = {"image": str(write_scan(tmp_path / "scan.nii.gz")), "subject": "A"}
        body = nibabel.load(scan["image"]).get_fdata() > 50
        scan["label"] = str(write_scan(tmp_path / "label.nii.gz", voxels=body))
        parser = ConfigParser()
        parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in configs])
        network = UNet(3, 1, 2, [2] * 3, [2] * 2, num_res_units=1, norm="batch", dropout=0.1)
        settings = {"scans": [scan], "classes": Structures(("body",), ((1,),)), "network": network, "passes": 2}
        parser.update(settings | {"device": torch.device("cpu"), "output_dir": str(tmp_path / "out")})
        parser.get_parsed_content("evaluator").run()
        return tmp_path / "out"

    return evaluate


def test_passes_with_dropout_leave_a_mask_and_maps_in_the_grid_of_a_scan(with_dropout, tmp_path):
    output, scan = with_dropout("inference", "mc_dropout"), nibabel.load(tmp_path / "scan.nii.gz")
    for what in ("segmentation", "entropy", "mutual_information"):
        found = nibabel.load(output / f"scan_{what}.nii.gz")
        assert found.shape == scan.shape and np.allclose(found.affine, scan.affine, atol=1e-4)
        assert what == "segmentation" or found.get_fdata().max() > 0
    names = {path.name for path in output.glob("*.*") if not path.name.endswith(".nii.gz")}
    assert names == {"segmentations.csv", "uncertainty.csv"}


@pytest.mark.parametrize("overlays", [("evaluate", "mc_dropout"), ("mc_dropout", "evaluate")])
def test_of_scans_with_label_maps_passes_are_judged_beside_one_without_dropout(with_dropout, overlays):
    output = with_dropout("inference", *overlays)
    metrics = read(output / "metrics.json")
    assert metrics["dice"] - metrics["dice_one_pass"] == pytest.approx(metrics["dice_difference"], abs=1e-6)
    assert {"surface_distance_mm", "seconds", "mutual_information_auroc", "one_pass_entropy_auroc"} <= metrics.keys()
    with open(output / "error_detection.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["one_pass_entropy_auroc"]) == metrics["one_pass_entropy_auroc"]


def test_a_network_that_was_trained_without_dropout_is_refused_before_scans_are_read(run, tmp_path):
    if not (BUNDLE / "models" / "model.pt").is_file():
        pytest.skip("it has no weights yet")
    for name in ("model.pt", "labels.json"):
        (tmp_path / name).symlink_to(BUNDLE / "models" / name)
    (tmp_path / "config.json").write_text('{"dropout": 0.0}', encoding="utf-8")
    settings = {"model": tmp_path / "model.pt", "dropout": 0.1, "output_dir": tmp_path / "out"}
    said = run(BUNDLE, "inference", "mc_dropout", dataset_dir=tmp_path / "no_scans", status=1, **settings)
    assert "error: " in said and "was trained without dropout" in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_repeated_trainings_have_other_subjects_in_a_share_and_are_tested_on_the_same():
    config = read(BUNDLE / "configs" / "train.json")
    scans = [{"subject": f"S{number}", "class_label": 1.0} for number in range(20)]
    parts = []
    for seed in (0, 1):
        parser = ConfigParser(config | {"labelled": scans, "seed": seed})
        parts.append(parser.get_parsed_content("subject_folds").parts(fold=0, share=0.5))
    assert parts[0]["test"] == parts[1]["test"] and parts[0]["validate"] == parts[1]["validate"]
    assert parts[0]["train"] != parts[1]["train"]


@pytest.fixture
def validation(write_scan, tmp_path):
    """A function: configurations of a training whose network, as it is drawn, is validated on so many scans."""
    scans = []
    for number in range(3):
        image = write_scan(tmp_path / f"{number}.nii.gz", shape=(20 + 4 * number, 18, 16), seed=number)
        body = nibabel.load(image).get_fdata() > 50
        body[: 4 * number] = False  # so that each has a Dice coefficient of its own
        label = write_scan(tmp_path / f"{number}_seg.nii.gz", voxels=body, seed=number)
        scans.append({"image": str(image), "label": str(label), "scan": number})

    def read(number, *configs):
        parser = ConfigParser()
        parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", *configs)])
        network = {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2}
        network |= {"channels": [2] * 3, "strides": [2] * 2}
        settings = {"split": {"train": [], "validate": scans[:number]}, "classes": Structures(("body",), ((1,),))}
        parser.update(settings | {"network_def": network, "spacing": [2.0] * 3, "validate#handlers": []})
        return parser

    return read


def dice_of_epoch(parser):
    """The Dice coefficient by which an epoch is picked, of a network that is the same in each process."""
    torch.manual_seed(0)
    evaluator = parser.get_parsed_content("validate#evaluator")
    evaluator.run()
    return evaluator.state.metrics["dice"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="processes with a GPU cannot be forked")
@pytest.mark.parametrize("number", [3, 1])
def test_each_validation_scan_counts_once_however_many_processes_there_are(validation, in_two_processes, number):
    alone = dice_of_epoch(validation(number))
    together = in_two_processes(lambda: dice_of_epoch(validation(number, "multi_gpu_train")))
    assert 0 < alone < 1 and together == pytest.approx([alone] * 2, abs=1e-6)


def weights_of_epochs(parser):
    """Encoder and last layer of a network that begins alike in each process, before and after epochs of one step."""
    torch.manual_seed(0)
    keys = ("network", "network_def", "optimizer", "train#frozen_encoder")
    network, plain, optimizer, frozen_encoder = map(parser.get_parsed_content, keys)
    torch.manual_seed(1 + rank())  # each has crops of its own
    weights = []
    for epoch in range(4):
        weights.append(
            [[one.flatten().tolist() for one in part.parameters()] for part in (plain.model[0], plain.model[2])]
        )
        frozen_encoder(SimpleNamespace(state=SimpleNamespace(epoch=1 + epoch)))
        optimizer.zero_grad()
        network(torch.randn(2, 1, 16, 16, 16)).square().mean().backward()
        optimizer.step()
    return weights


@pytest.mark.skipif(torch.cuda.is_available(), reason="processes with a GPU cannot be forked")
def test_two_processes_train_alike_while_the_encoder_is_frozen_and_afterwards(validation, in_two_processes):
    parser = validation(1, "multi_gpu_train")
    parser.update({"encoder": "untrained", "encoder_parts": ["model.0"], "frozen_epochs": 2})
    first, second = in_two_processes(lambda: weights_of_epochs(parser))
    assert first == second
    encoder, last = zip(*first, strict=True)
    assert encoder[0] == encoder[1] == encoder[2] != encoder[3]
    assert last[0] != last[1] != last[2] != last[3]


@pytest.fixture(scope="module")
def organs(make_once):
    """Three bodies with label maps of organs."""
    return make_once("organs", subjects=3, labels="organs")


@pytest.fixture(scope="module")
def trained(run, organs, tmp_path_factory):
    """Folder of a run of two epochs, of which the encoder is frozen in the first."""
    output = tmp_path_factory.mktemp("organs") / "run"
    settings = {"spacing": [4.0, 4.0, 4.0], "max_epochs": 2, "frozen_epochs": 1, "encoder": "untrained", "folds": 3}
    run(BUNDLE, "train", dataset_dir=organs, output_dir=output, amp=False, **settings)
    return output


@pytest.mark.slow
def test_each_test_scan_and_class_has_its_score(trained):
    with open(trained / "scores.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(LABELLED)
    metrics = read(trained / "metrics.json")
    assert (metrics["scans"], metrics["subjects"]) == (1, 1) and 0 < metrics["dice"] < 1
    assert {"surface_distance_mm", *(f"dice_{name}" for name in LABELLED)} <= metrics.keys()


@pytest.mark.slow
def test_its_weights_draw_in_the_grid_of_a_scan_and_score_as_they_did(run, organs, trained, tmp_path):
    settings = {"model": trained / "models" / "model.pt", "spacing": [4.0, 4.0, 4.0], "amp": False}
    said = run(BUNDLE, "inference", "evaluate", dataset_dir=organs, output_dir=tmp_path, **settings)
    (mask,) = tmp_path.glob("*_segmentation.nii.gz")
    drawn, scan = (nibabel.load(path) for path in (mask, organs / "imagesTr" / mask.name.replace("_segmentation", "")))
    assert drawn.shape == scan.shape and np.allclose(drawn.affine, scan.affine, atol=1e-4)
    assert read(tmp_path / "metrics.json") == pytest.approx(read(trained / "metrics.json"), abs=1e-4)
    assert str(tmp_path / "segmentations.csv") in said


@pytest.mark.slow
def test_a_spacing_that_is_not_the_trainings_is_refused(run, organs, trained, tmp_path):
    settings = {"model": trained / "models" / "model.pt", "dataset_dir": organs, "output_dir": tmp_path}
    said = run(BUNDLE, "inference", status=1, **settings)
    assert "error: spacing is [2.0, 2.0, 2.0], but the run in" in said and "Traceback" not in said
