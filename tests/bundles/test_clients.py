"""Programs that know nothing of this repository take every bundle as it is, from any folder."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
from mlflow import MlflowClient
from monai.bundle import ConfigParser, verify_metadata
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems, WeightType
from monai.fl.utils.exchange_object import ExchangeObject
from monai.utils import path_to_sqlite_uri

from scripts.networks.weights import load_encoder
from tools.release import write_release

BUNDLES = sorted(path.parent for path in (Path(__file__).parents[2] / "bundles").glob("*/LICENSE"))
PRETRAINING = [bundle for bundle in BUNDLES if bundle.name.endswith("_pretraining")]
CLASSIFIER = BUNDLES[0].parent / "lesion_classification"
LESION_MAP = BUNDLES[0].parent / "lesion_map_segmentation"
TRAINED = [*PRETRAINING, CLASSIFIER]
SMALL = {"spacing": [4.0, 4.0, 4.0], "max_epochs": 1, "crops_per_volume": 4, "batch_size": 2}

pytestmark = pytest.mark.slow


def settings(bundle):
    """Settings of a training that takes seconds."""
    return SMALL | ({"val_size": 1, "test_size": 1} if bundle in PRETRAINING else {"folds": 3})


def names(bundles):
    return {"argvalues": bundles, "ids": lambda path: path.name}


@pytest.fixture(scope="module", params=BUNDLES, ids=lambda path: path.name)
def opened(request, bodies, elsewhere, tmp_path_factory):
    """A bundle, the folder in which a process far from it left what it made of it, and that process's answers."""
    bundle, output = request.param, tmp_path_factory.mktemp(request.param.name)
    words = [Path(__file__).parent / "open_bundle.py", bundle, bodies, output, json.dumps(settings(bundle))]
    environment = os.environ | {"PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    process = [sys.executable, "-W", "ignore", *map(str, words)]
    done = subprocess.run(process, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return bundle, output, json.loads((output / "answers.json").read_text())


@pytest.mark.parametrize("way", ["loaded", "loaded for inference", "loaded into a network of one's own"])
def test_every_tensor_is_loaded(opened, way):
    assert opened[2][way] is True


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_all_properties_that_monai_expects_are_there(opened, kind):
    assert opened[2][f"missing in {kind}.json"] == []


@pytest.fixture
def crop_and_embedding(opened):
    """A crop, and what the bundle's own network makes of it."""
    bundle, _, _ = opened
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.json")
    network = load_encoder(parser.get_parsed_content("network_def"), bundle / "models" / "model.pt").eval()
    crop = torch.rand(1, 1, 32, 32, 32) * 2 - 1
    with torch.no_grad():
        return crop, network(crop)


def test_torchscript_says_what_the_network_says(opened, crop_and_embedding):
    crop, embedding = crop_and_embedding
    with torch.no_grad():
        exported = torch.jit.load(opened[1] / "model.ts").eval()(crop)
    assert torch.allclose(exported, embedding, rtol=1e-4, atol=1e-4 * embedding.abs().max())


def test_onnx_says_what_the_network_says(opened, crop_and_embedding):
    crop, embedding = crop_and_embedding
    session = onnxruntime.InferenceSession(opened[1] / "model.onnx", providers=["CPUExecutionProvider"])
    (exported,) = session.run(None, {session.get_inputs()[0].name: crop.numpy()})
    assert np.allclose(exported, embedding, rtol=1e-4, atol=1e-4 * float(embedding.abs().max()))


@pytest.mark.parametrize("bundle", **names(BUNDLES))
def test_metadata_follow_their_schema(bundle, request, tmp_path):
    schema = request.config.getoption("--schema")
    if schema is None:
        pytest.skip("no --schema FILE given")
    shutil.copy(schema, tmp_path / "schema.json")  # where it lies already, MONAI downloads none
    verify_metadata(str(bundle / "configs" / "metadata.json"), str(tmp_path / "schema.json"))


TOLD = {"name", "task", "description", "authors", "copyright", "data_source", "data_type", "image_classes"}
TOLD |= {"label_classes", "pred_classes", "eval_metrics", "intended_use", "references"}


@pytest.mark.parametrize("bundle", **names(BUNDLES))
def test_metadata_tell_all_that_the_model_zoo_shows(bundle):
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    assert not [key for key in TOLD if not metadata.get(key)]
    assert metadata["version"] in metadata["changelog"]
    assert all(isinstance(value, float) for value in metadata["eval_metrics"].values())


@pytest.mark.parametrize("bundle", **names(BUNDLES))
def test_the_licence_of_the_weights_says_how_they_scored(bundle):
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    said = (bundle / "docs" / "data_license.txt").read_text()
    assert not [value for value in metadata["eval_metrics"].values() if str(value) not in said]


@pytest.mark.parametrize("bundle", **names(BUNDLES))
def test_a_name_is_one_that_the_model_zoo_can_read(bundle):
    assert "_v" not in bundle.name and bundle.name.islower()
    assert not [other for other in BUNDLES if other != bundle and bundle.name in other.name]


@pytest.mark.parametrize("bundle", **names(TRAINED))
def test_a_training_is_tracked_by_mlflow(run, bundle, bodies, elsewhere, tmp_path):
    overrides = settings(bundle) | {"spacing": "[4.0,4.0,4.0]", "dataset_dir": bodies, "output_dir": tmp_path}
    run(bundle, "train", cwd=elsewhere, tracking="mlflow", **overrides)
    assert {"train_loss", "validation_loss"} <= tracked(tmp_path)


@pytest.fixture
def one_scan(bodies, tmp_path):
    """A folder with a scan."""
    folder = tmp_path / "scans"
    folder.mkdir()
    shutil.copy(next(bodies.glob("imagesTr/*")), folder)
    return folder


def test_an_inference_is_tracked_by_mlflow(run, one_scan, elsewhere, tmp_path):
    run(LESION_MAP, "inference", cwd=elsewhere, tracking="mlflow", dataset_dir=one_scan, output_dir=tmp_path)
    assert tracked(tmp_path) == set()


def tracked(output_dir):
    """Names of the metrics of the one run that was tracked."""
    client = MlflowClient(path_to_sqlite_uri(str(output_dir / "mlruns.db")))
    (tracked_run,) = client.search_runs([client.get_experiment_by_name("monai_experiment").experiment_id])
    return set(tracked_run.data.metrics)


@pytest.fixture(scope="module", params=TRAINED, ids=lambda path: path.name)
def site(request, bodies, elsewhere, tmp_path_factory):
    """What a federated client of a bundle did: a round of training, an evaluation of the server's weights, a round."""
    folder = tmp_path_factory.mktemp("site")
    given = {"dataset_dir": str(bodies), "output_dir": str(folder), "device": "cpu", **settings(request.param)}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        client = MonaiAlgo(str(request.param), send_weight_diff=False, train_kwargs=dict(given), eval_kwargs=given)
        client.initialize({ExtraItems.CLIENT_NAME: "site"})
        sent = {name: tensor.numpy().copy() for name, tensor in client.trainer.network.state_dict().items()}
        client.train(ExchangeObject(weights=sent))
        returned, best = client.get_weights(), (folder / "models" / "model.pt").read_bytes()
        metrics = client.evaluate(ExchangeObject(weights=sent)).metrics
        kept = (folder / "models" / "model.pt").read_bytes()
        client.train(ExchangeObject(weights=sent))
        client.finalize()
    epochs = client.trainer.state.epoch
    return SimpleNamespace(sent=sent, returned=returned, metrics=metrics, best=best, kept=kept, epochs=epochs)


def test_a_federated_client_returns_weights_that_it_trained(site):
    weights = site.returned.weights
    assert site.returned.weight_type == WeightType.WEIGHTS and weights.keys() == site.sent.keys()
    assert any(not np.array_equal(weights[name], site.sent[name]) for name in weights)


def test_a_federated_client_evaluates_weights_that_it_is_sent(site):
    assert np.isfinite(site.metrics["validation_loss"])


def test_weights_that_are_only_evaluated_are_not_kept_as_the_best(site):
    assert site.kept == site.best


def test_a_federated_client_trains_round_after_round(site):
    assert site.epochs == 2


def test_a_downloaded_bundle_runs_with_its_own_code_from_any_folder(run, one_scan, elsewhere, tmp_path):
    address = write_release(CLASSIFIER, tmp_path / "dist").as_uri()
    words = ["download", "--name", CLASSIFIER.name, "--url", address, "--bundle_dir", str(tmp_path)]
    subprocess.run([sys.executable, "-W", "ignore", "-m", "monai.bundle", *words], cwd=elsewhere, check=True)
    downloaded = tmp_path / CLASSIFIER.name
    (downloaded / "scripts" / "__init__.py").write_text("print('the downloaded code')\n")
    output = run(downloaded, "inference", cwd=elsewhere, dataset_dir=one_scan, output_dir=tmp_path / "out")
    assert "the downloaded code" in output and (tmp_path / "out" / "scores.csv").is_file()
