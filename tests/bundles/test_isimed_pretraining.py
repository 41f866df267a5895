"""The bundle as its users run it: whole processes, from several folders, on a small synthetic cohort."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow, load, verify_net_in_out
from monai.networks.nets import DenseNet121

from scripts.phantom import make_cohort

REPOSITORY = Path(__file__).parents[2]
BUNDLE = REPOSITORY / "bundles" / "isimed_pretraining"
CONFIGS = BUNDLE / "configs"
SMALL = {
    "spacing": "[4.0,4.0,4.0]",
    "max_epochs": 1,
    "crops_per_volume": 4,
    "batch_size": 2,
    "val_size": 1,
    "test_size": 1,
}
MAP = {"spacing": "[4.0,4.0,4.0]", "map_stride": 12}


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=4, seed=0)


@pytest.fixture(scope="session")
def trained(cohort, tmp_path_factory):
    """Folder of a run of one epoch."""
    output = tmp_path_factory.mktemp("runs") / "run"
    run("train", dataset_dir=cohort, output_dir=output, **SMALL)
    return output


def command(*configs, **overrides):
    files = [str(CONFIGS / f"{config}.json") for config in configs]
    options = [str(part) for key, value in overrides.items() for part in (f"--{key}", value)]
    return ["-m", "monai.bundle", "run", "--config_file", str(files), *options]


def run(*configs, cwd=BUNDLE, launcher=(sys.executable, "-W", "ignore"), status=0, bundle_root=BUNDLE, **overrides):
    """Run the bundle in a process of its own and return what it printed."""
    words = [*launcher, *command(*configs, bundle_root=bundle_root, **overrides)]
    environment = os.environ | {"PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    process = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=600, env=environment)
    output = process.stdout + process.stderr
    assert process.returncode == status, output[-3000:]
    return output


def history(output):
    with open(output / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_training_leaves_what_a_run_should(trained):
    left = {path.name for path in trained.iterdir()}
    assert {"config.json", "split.json", "checkpoint.pt", "encoder.pt", "history.csv", "models"} <= left
    assert any(name.startswith("events") for name in left)


@pytest.mark.slow
def test_the_encoder_is_a_public_monai_network(trained):
    state = torch.load(trained / "encoder.pt", weights_only=True)
    DenseNet121(spatial_dims=3, in_channels=1, out_channels=1024).load_state_dict(state)


@pytest.mark.slow
def test_the_settings_on_record_have_the_overrides(trained):
    assert json.loads((trained / "config.json").read_text())["crops_per_volume"] == 4


@pytest.mark.slow
def test_evaluation_writes_every_figure_beside_its_baselines(cohort, trained):
    output = run(
        *("train", "evaluate"), dataset_dir=cohort, output_dir=trained, evaluation_crops=8, map_stride=12, **SMALL
    )
    metrics = json.loads((trained / "metrics.json").read_text())
    for name in ("location_error_mm", "location_r2", "distance_error_mm", "pca3_location_r2", "rankme"):
        assert name in metrics
        assert f"{name}_random_encoder" in metrics
    assert {"location_error_mm_mean_position", "location_error_mm_intensities", "subjects", "crops"} <= metrics.keys()
    assert metrics["subjects"] == 1
    assert str(trained / "report.html") in output
    assert (trained / "report.html").stat().st_size > 100_000


@pytest.mark.slow
def test_training_runs_from_the_repository_without_bundle_root(cohort, tmp_path):
    run("train", cwd=REPOSITORY, bundle_root=".", dataset_dir=cohort, output_dir=tmp_path / "run", **SMALL)
    assert (tmp_path / "run" / "encoder.pt").is_file()


@pytest.mark.slow
def test_training_runs_from_an_unrelated_folder_without_bundle_root(cohort, tmp_path):
    run("train", cwd=tmp_path, bundle_root=".", dataset_dir=cohort, output_dir="run", **SMALL)
    assert (tmp_path / "run" / "encoder.pt").is_file()


@pytest.mark.slow
def test_training_runs_from_a_folder_with_scripts_of_its_own(cohort, tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "__init__.py").write_text("raise RuntimeError('the wrong scripts')")
    run("train", cwd=tmp_path, dataset_dir=cohort, output_dir=tmp_path / "run", **SMALL)
    assert (tmp_path / "run" / "encoder.pt").is_file()


@pytest.mark.slow
def test_two_processes_train_under_torchrun(cohort, tmp_path):
    launcher = (sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone")
    overrides = SMALL | {"val_size": 2, "batch_size": 1, "test_size": 0.1}
    run("train", "multi_gpu_train", launcher=launcher, dataset_dir=cohort, output_dir=tmp_path / "run", **overrides)
    assert len(history(tmp_path / "run")) == 1
    DenseNet121(3, 1, 1024).load_state_dict(torch.load(tmp_path / "run" / "encoder.pt", weights_only=True))


@pytest.mark.slow
def test_a_run_killed_in_mid_epoch_resumes_after_the_last_whole_one(cohort, tmp_path):
    settings = SMALL | {"dataset_dir": cohort, "output_dir": tmp_path / "run", "max_epochs": 500}
    words = [sys.executable, "-W", "ignore", *command("train", bundle_root=BUNDLE, **settings)]
    process = subprocess.Popen(words, cwd=BUNDLE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (tmp_path / "run" / "checkpoint.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["progress"]["history"]
    run("train", **settings | {"max_epochs": len(done) + 1}, resume="true")
    assert [int(row["epoch"]) for row in history(tmp_path / "run")] == list(range(1, len(done) + 2))


@pytest.mark.slow
def test_inference_writes_a_map_in_the_grid_of_each_scan(cohort, trained, tmp_path):
    run("inference", cwd=tmp_path, dataset_dir=cohort, output_dir=tmp_path, encoder=trained / "encoder.pt", **MAP)
    scan = nib.load(cohort / "imagesTr" / "phantom_001.nii.gz")
    components = nib.load(tmp_path / "phantom_001_components.nii.gz")
    assert components.shape == (*scan.shape, 3)
    assert np.allclose(components.affine, scan.affine, atol=1e-4)
    with np.load(tmp_path / "phantom_001_embeddings.npz") as stored:
        assert stored["embedding"].shape == (len(stored["centre_mm"]), 1024)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"dataset_dir": "/no/such/folder"}, "error: There is no /no/such/folder"),
        ({"max_epocs": 3}, "error: Nothing in this configuration uses the key max_epocs: did you mean max_epochs?"),
        ({"frame": "body"}, "error: There is no frame 'body': set frame to one of foreground, scanner."),
        ({"test_size": 9}, "error: 4 subjects"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(cohort, tmp_path, overrides, sentence):
    settings = SMALL | {"dataset_dir": cohort, "output_dir": tmp_path / "run"} | overrides
    output = run("train", status=1, **settings)
    assert sentence in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_run_is_not_overwritten(cohort, trained):
    output = run("train", status=1, dataset_dir=cohort, output_dir=trained, **SMALL)
    assert f"error: {trained} holds a run already" in output


@pytest.mark.slow
def test_settings_that_are_not_those_of_the_encoders_run_are_refused(cohort, trained, tmp_path):
    settings = {"dataset_dir": cohort, "output_dir": tmp_path, "encoder": trained / "encoder.pt", **MAP}
    output = run("inference", status=1, embedding_size=64, **settings)
    assert "embedding_size is 64, but the run in" in output
    assert "Traceback" not in output


def test_all_properties_that_monai_expects_are_there(cohort, tmp_path):
    workflow = ConfigWorkflow(
        str(CONFIGS / "train.json"),
        workflow_type="train",
        logging_file=False,
        bundle_root=str(BUNDLE),
        dataset_dir=str(cohort),
        output_dir=str(tmp_path),
        **SMALL | {"spacing": [4.0, 4.0, 4.0]},
    )
    workflow.initialize()
    assert workflow.check_properties() == []


def test_all_inference_properties_that_monai_expects_are_there(cohort, tmp_path):
    overrides = {"bundle_root": str(BUNDLE), "dataset_dir": str(cohort), "output_dir": str(tmp_path)}
    workflow = ConfigWorkflow(str(CONFIGS / "inference.json"), workflow_type="infer", logging_file=False, **overrides)
    workflow.initialize()
    assert workflow.check_properties() == []


def test_the_network_takes_and_gives_what_the_metadata_says():
    verify_net_in_out("network_def", str(CONFIGS / "metadata.json"), str(CONFIGS / "inference.json"), device="cpu")


def test_the_bundle_is_loaded_with_its_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = load("isimed_pretraining", bundle_dir=str(BUNDLE.parent), source="github", repo="none/none/none")
    stored = torch.load(BUNDLE / "models" / "model.pt", weights_only=True)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, stored[name].to(tensor.dtype)), name
