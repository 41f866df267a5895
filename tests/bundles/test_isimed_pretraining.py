"""What is the same for all bundles, run as this one: from several folders, killed, misspelt."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from tools.release import write_release

REPOSITORY = Path(__file__).parents[2]
BUNDLE = REPOSITORY / "bundles" / "isimed_pretraining"
MAP = {"spacing": "[4.0,4.0,4.0]", "map_stride": 12}


@pytest.fixture
def trained(train):
    """Folder of a run of one epoch."""
    return train(BUNDLE)


@pytest.mark.slow
def test_the_settings_on_record_have_the_overrides(trained):
    assert json.loads((trained / "config.json").read_text(encoding="utf-8"))["crops_per_volume"] == 4


@pytest.mark.slow
def test_the_readme_runs_as_printed_from_a_clone_and_from_a_zip(small, cohort, tmp_path):
    (block,) = re.findall(r"```\n(cd bundles.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    folder, train, evaluate = re.findall(r"^(?:cd|python) (?:.*\\\n)*.*", block, re.MULTILINE)
    with zipfile.ZipFile(write_release(BUNDLE, tmp_path)) as file:
        file.extractall(tmp_path / "bundles")
    (tmp_path / "umap.py").write_text(
        "raise ImportError('it compiles itself for longer than all else takes')", encoding="utf-8"
    )
    options = " ".join(f"--{key} {json.dumps(value, separators=(',', ':'))}" for key, value in small.items())
    paths = {"/my/scans": f"{cohort} {options}", "/my/run": tmp_path / "run"}
    for place, command in ((REPOSITORY, train), (tmp_path, f"{evaluate} --map_stride 12 --evaluation_crops 8")):
        for printed, given in paths.items():
            command = command.replace(printed, str(given))
        environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
        environment |= {"PYTHONPATH": str(tmp_path)}
        words = ["bash", "-ec", f"{folder}\n{command}"]
        done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "run" / "encoder.pt").is_file() and (tmp_path / "run" / "report.html").is_file()


@pytest.mark.slow
def test_training_runs_from_an_unrelated_folder_without_bundle_root(launch, small, cohort, tmp_path):
    launch(BUNDLE, "train", cwd=tmp_path, bundle_root=".", dataset_dir=cohort, output_dir="run", **small)
    assert (tmp_path / "run" / "encoder.pt").is_file()


@pytest.mark.slow
def test_training_runs_from_a_folder_with_scripts_of_its_own(launch, small, cohort, tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "__init__.py").write_text("raise RuntimeError('the wrong scripts')", encoding="utf-8")
    launch(BUNDLE, "train", cwd=tmp_path, dataset_dir=cohort, output_dir=tmp_path / "run", **small)
    assert (tmp_path / "run" / "encoder.pt").is_file()


@pytest.mark.slow
def test_a_run_has_its_folder_to_itself_and_ends_with_a_sentence_when_asked_to(
    run, small, command, history, cohort, tmp_path
):
    settings = small | {"dataset_dir": cohort, "output_dir": tmp_path / "run", "max_epochs": 500}
    words = [sys.executable, "-W", "ignore", *command(BUNDLE, "train", checkpoint_steps=1, **settings)]
    process = subprocess.Popen(words, cwd=BUNDLE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while not (tmp_path / "run" / "checkpoint.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.2)
    output = run(BUNDLE, "train", **settings, resume="true", status=1)
    assert f"error: Another run is writing to {tmp_path / 'run'} (process {process.pid} on " in output
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert "error: Interrupted. What was saved is whole" in said and "Traceback" not in said
    checkpoint = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    done = checkpoint["trainer"]["iteration"] // checkpoint["trainer"]["epoch_length"]
    run(BUNDLE, "train", **settings | {"max_epochs": done + 1}, resume="true")
    assert [int(row["epoch"]) for row in history(tmp_path / "run")] == list(range(1, done + 2))


@pytest.mark.slow
def test_inference_writes_a_map_in_the_grid_of_each_scan(run, cohort, trained, tmp_path):
    run(
        BUNDLE,
        "inference",
        cwd=tmp_path,
        dataset_dir=cohort,
        output_dir=tmp_path,
        encoder=trained / "encoder.pt",
        **MAP,
    )
    scan = nib.load(cohort / "imagesTr" / "phantom_001.nii.gz")
    components = nib.load(tmp_path / "phantom_001_components.nii.gz")
    assert components.shape == (*scan.shape, 3)
    assert np.allclose(components.affine, scan.affine, atol=1e-4)
    with np.load(tmp_path / "phantom_001_embeddings.npz") as stored:
        assert stored["embedding"].shape == (len(stored["centre_mm"]), 1024)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "sentence", "left"),
    [
        ({"dataset_dir": "/no/such/folder"}, "error: There is no /no/such/folder", []),
        ({"max_epocs": 3}, "error: Nothing in this configuration uses the key max_epocs: did you mean max_epochs?", []),
        ({"frame": "body"}, 'error: frame is "body": give one of foreground, scanner (what places', []),
        ({"test_size": 9}, "error: 4 subjects", ["audit.csv"]),
    ],
)
def test_a_mistake_is_answered_with_one_sentence_and_leaves_nothing_but_what_was_found_in_the_scans(
    run, small, cohort, tmp_path, overrides, sentence, left
):
    settings = small | {"dataset_dir": cohort, "output_dir": tmp_path / "run"} | overrides
    output = run(BUNDLE, "train", status=1, **settings)
    assert sentence in output
    assert "Traceback" not in output
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == left


@pytest.mark.slow
def test_a_process_ends_with_the_sentence_alone(run_module, command, small, cohort, tmp_path):
    settings = small | {"dataset_dir": cohort, "output_dir": tmp_path / "run", "max_epocs": 3}
    _, module, *words = command(BUNDLE, "train", **settings)
    done = run_module(module, *words)
    assert "error: Nothing in this configuration uses the key max_epocs" in done.stderr and done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.slow
def test_a_run_is_not_overwritten(run, small, cohort, trained):
    output = run(BUNDLE, "train", status=1, dataset_dir=cohort, output_dir=trained, **small)
    assert f"error: {trained} holds a run already" in output


@pytest.mark.slow
def test_settings_that_are_not_those_of_the_encoders_run_are_refused(run, cohort, trained, tmp_path):
    settings = {"dataset_dir": cohort, "output_dir": tmp_path, "encoder": trained / "encoder.pt", **MAP}
    output = run(BUNDLE, "inference", status=1, embedding_size=64, **settings)
    assert "embedding_size is 64, but the run in" in output
    assert "Traceback" not in output
