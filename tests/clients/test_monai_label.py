"""MONAI Label serves scores, maps of them, landmarks and organs as a run of the bundle gives them."""

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from nibabel.affines import apply_affine

BUNDLES = Path(__file__).parents[2] / "bundles"
SERVED = ["lesion_classification", "lesion_map_segmentation", "landmark_localization", "organ_segmentation"]
ALTERED = "altered_classification"  # the classifier with code of its own, which is sure that there is no lesion
DAMAGED = "damaged_localization"  # whose marked scan ends in the middle
WEAK = "interactive_mil_segmentation"  # a link to a bundle of another name, which says what MONAI Label takes it for
ORGANS = ["heart", "liver", "stomach", "spleen", "kidney right", "kidney left", "gallbladder", "bladder"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("label")


@pytest.fixture(scope="module")
def scans(cohort, folder):
    """A folder with one scan, its image id being `scan`, of a body with lesions."""
    (folder / "scans").mkdir()
    shutil.copy(cohort / "imagesTr" / "phantom_003.nii.gz", folder / "scans" / "scan.nii.gz")
    return folder / "scans"


@pytest.fixture(scope="module")
def served(zips):
    """Those that are published: what has no weights yet is not."""
    return [name for name in SERVED if name in zips]


@pytest.fixture(scope="module")
def app(given, call, unzip, folder, served):
    """MONAI Label's app for bundles, with ours in it."""
    path = given("--label")
    words = ["apps", "--download", "--name", "monaibundle", "--output", folder]
    call([f"{path}/monailabel", *words], folder, PATH=f"{path}:{os.environ['PATH']}")
    models = folder / "monaibundle" / "model"
    models.mkdir(exist_ok=True)
    for name in served:
        unzip(name, models)
    unzip(SERVED[0], folder).rename(models / ALTERED)
    code = models / ALTERED / "scripts" / "inferers" / "window.py"
    text = code.read_text(encoding="utf-8")
    assert "return scores" in text
    code.write_text(text.replace("return scores", "return -5 + 0 * scores"), encoding="utf-8")
    unzip(SERVED[2], folder).rename(models / DAMAGED)
    marked = models / DAMAGED / "models" / "example_body.nii.gz"
    marked.write_bytes(marked.read_bytes()[:-1000])
    (models / WEAK).symlink_to(weak_bundle(folder / "interactive_mil_classification"))
    return folder / "monaibundle"


def weak_bundle(path):
    """A copy of the bundle that has no weights yet, with some that find a lesion wherever they look."""
    shutil.copytree(BUNDLES / path.name, path, ignore=shutil.ignore_patterns("output", "models"))
    (path / "models").mkdir()
    (path / "models" / "labels.json").write_text('{"no lesion": [1], "lesion": [2]}', encoding="utf-8")
    parser = ConfigParser()
    parser.read_config(path / "configs" / "inference.json")
    parser["bundle_root"] = str(path)
    torch.manual_seed(0)
    network = parser.get_parsed_content("network_def")
    with torch.no_grad():
        for head in (network.local, network.attention):
            head.weight *= 8
        network.local.bias += 2
    torch.save(network.state_dict(), path / "models" / "model.pt")
    return path


@pytest.fixture(scope="module")
def server(given, app, scans, folder, served):
    """Address of a server of these models."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = given("--label")
    words = ["start_server", "--app", app, "--studies", scans, "--host", "127.0.0.1", "--port", port]
    conf = {
        "models": ",".join([*served, ALTERED, DAMAGED, WEAK]),
        "zoo_source": "local",
        "sam2": "false",
        "skip_trainers": "true",
    }
    words += [part for pair in conf.items() for part in ("--conf", *pair)]
    environment = os.environ | {"PATH": f"{path}:{os.environ['PATH']}", "PYTHONPATH": "", "CUDA_VISIBLE_DEVICES": ""}
    with open(folder / "server.log", "w", encoding="utf-8") as log:
        options = {"cwd": folder, "env": environment, "stdout": log, "stderr": log, "start_new_session": True}
        process = subprocess.Popen([f"{path}/monailabel", *map(str, words)], **options)
        try:
            wait_for(f"http://127.0.0.1:{port}/info/", process, folder / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(address, process, log, seconds=120):
    for _ in range(seconds):
        try:
            return urlopen(address, timeout=60)
        except URLError:
            assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
            time.sleep(1)
    pytest.fail(f"MONAI Label did not answer within {seconds} s: {log.read_text(encoding='utf-8')[-3000:]}")


def infer(server, model, output, **parameters):
    address = f"{server}/infer/{model}?image=scan&output={output}"
    content = urlencode({"params": json.dumps(parameters)}).encode()
    return urlopen(Request(address, content, method="POST"), timeout=300).read()


def score(server, model):
    (prediction,) = json.loads(infer(server, model, "json"))["prediction"]
    assert prediction["label"] == "lesion"
    return prediction["score"]


def test_all_are_listed_with_type_and_labels(server, served, app):
    models = json.load(urlopen(f"{server}/info/"))["models"]
    assert [models[name]["type"] for name in served] == ["classification", *["segmentation"] * (len(served) - 1)]
    organs = {organ: number for number, organ in enumerate(ORGANS, 1)}
    table = (app / "model" / SERVED[3] / "models" / "labels.json").read_text(encoding="utf-8")
    labelled = {name: value for name, (value,) in json.loads(table).items()}
    labels = dict(zip(SERVED, [{"lesion": 0}, {"lesion": 1}, organs, labelled], strict=True))
    assert {name: models[name]["labels"] for name in served} == {name: labels[name] for name in served}


def test_the_classifier_returns_the_score_of_a_run(server, app, scans, run, tmp_path):
    model = app / "model" / SERVED[0]
    run(sys.executable, model, "inference", cwd=tmp_path, dataset_dir=scans, output_dir=tmp_path / "out")
    with open(tmp_path / "out" / "scores.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert score(server, SERVED[0]) == pytest.approx(float(row["score"]), abs=0.01)  # another torch


def test_the_mask_is_that_of_a_run_in_the_scans_own_grid(server, app, scans, run, tmp_path):
    model = app / "model" / SERVED[1]
    run(sys.executable, model, "inference", cwd=tmp_path, dataset_dir=scans, output_dir=tmp_path / "out")
    (tmp_path / "served.nii.gz").write_bytes(infer(server, SERVED[1], "image"))
    ours, served = (nibabel.load(tmp_path / path) for path in ("out/scan_lesion_mask.nii.gz", "served.nii.gz"))
    scan = nibabel.load(scans / "scan.nii.gz")
    assert served.shape == scan.shape and np.allclose(served.affine, scan.affine, atol=1e-3)
    found = served.get_fdata() > 0
    assert found.any() and (found != (ours.get_fdata() > 0)).mean() < 1e-3


def test_landmarks_are_where_a_run_finds_them_in_the_scans_own_grid(server, app, scans, run, tmp_path):
    model = app / "model" / SERVED[2]
    run(sys.executable, model, "inference", cwd=tmp_path, dataset_dir=scans, output_dir=tmp_path / "out")
    (tmp_path / "served.nii.gz").write_bytes(infer(server, SERVED[2], "image"))
    served, scan = nibabel.load(tmp_path / "served.nii.gz"), nibabel.load(scans / "scan.nii.gz")
    assert served.shape == scan.shape and np.allclose(served.affine, scan.affine, atol=1e-3)
    with open(tmp_path / "out" / "landmarks.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {number: [float(row[axis]) for axis in "xyz"] for number, row in enumerate(rows, 1) if row["x"]}
    balls = np.asarray(served.dataobj)
    assert [row["name"] for row in rows] == ORGANS and len(found) > 1
    assert set(np.unique(balls)) == {0, *found}
    sure = {number for number, row in enumerate(rows, 1) if float(row["confidence"]) > 0.6}  # others are near ties
    assert sure
    for number in sure:
        middle = apply_affine(served.affine, np.argwhere(balls == number)).mean(0)
        assert np.abs(middle - found[number]).max() < 2


def test_organs_are_those_of_a_run_in_the_scans_own_grid(server, app, scans, run, tmp_path):
    model = app / "model" / SERVED[3]
    run(sys.executable, model, "inference", cwd=tmp_path, dataset_dir=scans, output_dir=tmp_path / "out")
    (tmp_path / "served.nii.gz").write_bytes(infer(server, SERVED[3], "image"))
    ours, served = (nibabel.load(tmp_path / path) for path in ("out/scan_segmentation.nii.gz", "served.nii.gz"))
    assert served.shape == ours.shape and np.allclose(served.affine, ours.affine, atol=1e-3)
    assert len(np.unique(served.dataobj)) > 2
    assert (np.asarray(served.dataobj) != np.asarray(ours.dataobj)).mean() < 1e-3


def test_a_marked_scan_that_is_damaged_is_an_error_that_the_log_explains(server, folder):
    with pytest.raises(HTTPError, match="500"):
        infer(server, DAMAGED, "image")
    assert_is_logged(folder, "example_body.nii.gz, in which landmarks are marked, is truncated: mend it")


def assert_is_logged(folder, why):
    for _ in range(100):  # after the answer
        if why in (folder / "server.log").read_text(encoding="utf-8"):
            return
        time.sleep(0.1)
    pytest.fail((folder / "server.log").read_text(encoding="utf-8")[-3000:])


@pytest.fixture
def weakly(app, scans, run, tmp_path):
    """A function: the line of the table and the contributions that a run of the weakly trained network leaves."""

    def files(**settings):
        run(
            *(sys.executable, app / "model" / WEAK, "inference"),
            **{"cwd": tmp_path, "dataset_dir": scans, "output_dir": tmp_path / "out", **settings},
        )
        with open(tmp_path / "out" / "scores.csv", encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        return row, nibabel.load(tmp_path / "out" / "scan_contribution.nii.gz")

    return files


def test_a_weakly_trained_network_answers_its_score_and_the_places_that_make_half_of_it(
    server, weakly, scans, tmp_path
):
    row, contribution = weakly()
    said = json.loads(infer(server, WEAK, "json"))
    assert said["class"] == row["class"] == "lesion" and said["scores"] == said["before"]
    assert said["scores"]["lesion"] == pytest.approx(float(row["lesion"]), abs=0.01)  # another torch
    (tmp_path / "served.nii.gz").write_bytes(infer(server, WEAK, "image"))
    served, scan = nibabel.load(tmp_path / "served.nii.gz"), nibabel.load(scans / "scan.nii.gz")
    assert served.shape == scan.shape and np.allclose(served.affine, scan.affine, atol=1e-3)
    drawn = served.get_fdata()
    assert set(np.unique(drawn)) == {0, 1}
    share = contribution.get_fdata()[drawn > 0].sum() / float(row["lesion"])
    assert share == pytest.approx(0.5, abs=0.05)


def test_a_request_corrects_where_a_network_looks_as_a_run_does(server, weakly, scans, tmp_path):
    scan = nibabel.load(scans / "scan.nii.gz")
    half = np.zeros(scan.shape, np.uint8)
    half[: scan.shape[0] // 2] = 1
    nibabel.save(nibabel.Nifti1Image(half, scan.affine), tmp_path / "half.nii.gz")
    middle = apply_affine(scan.affine, np.multiply(scan.shape, (0.6, 0.5, 0.5))).tolist()
    parameters = {"ignore": str(tmp_path / "half.nii.gz"), "attend_points": [middle]}
    row, _ = weakly(**parameters)
    said = json.loads(infer(server, WEAK, "json", **parameters))
    for name in ("no lesion", "lesion"):
        assert said["scores"][name] == pytest.approx(float(row[name]), abs=0.01)
        assert said["before"][name] == pytest.approx(float(row[f"before {name}"]), abs=0.01)
    assert abs(said["scores"]["lesion"] - said["before"]["lesion"]) > 0.001
    (tmp_path / "served.nii.gz").write_bytes(infer(server, WEAK, "image", **parameters))
    drawn = nibabel.load(tmp_path / "served.nii.gz").get_fdata()
    assert drawn.any() and not drawn[: scan.shape[0] // 3].any()


def test_a_region_that_cannot_be_used_is_an_error_that_the_log_explains(server, folder):
    with pytest.raises(HTTPError, match="500"):
        infer(server, WEAK, "json", attend_points=[[1e4, 0, 0]])
    assert_is_logged(folder, "attend_points has [10000.0, 0, 0], which is outside of what the network sees")


def test_two_bundles_in_one_server_run_each_its_own_code(server):
    first, altered, again = (score(server, model) for model in (SERVED[0], ALTERED, SERVED[0]))
    assert altered == pytest.approx(1 / (1 + np.exp(5)), abs=1e-4)
    assert first == again != altered
