"""Programs that know nothing of this repository take a bundle as it is, from any folder.

One of all or of a kind in `make test`, each in `make clients`."""

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
from monai.bundle import ConfigParser, download
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems, WeightType
from monai.fl.utils.exchange_object import ExchangeObject
from monai.utils import path_to_sqlite_uri

from scripts.networks.weights import load_encoder
from tools.release import write_release

BUNDLES = sorted(path.parent for path in (Path(__file__).parents[2] / "bundles").glob("*/LICENSE"))
CLASSIFIER = BUNDLES[0].parent / "lesion_classification"
LESION_MAP = BUNDLES[0].parent / "lesion_map_segmentation"
SEGMENTATION = BUNDLES[0].parent / "organ_segmentation"
PUZZLE = BUNDLES[0].parent / "multimodal_puzzle_pretraining"
GENERATION = BUNDLES[0].parent / "cross_modal_generation"
CONTIG = BUNDLES[0].parent / "contig_pretraining"
WEAK = BUNDLES[0].parent / "interactive_mil_classification"
HEADS = ["@validate#evaluation_mode"]
EVALUATED_OTHERWISE = {  # handlers of their validations
    SEGMENTATION: [],
    GENERATION: [],
    WEAK: [],
    PUZZLE: HEADS,
    CONTIG: HEADS,
}
TRAINED_ELSEWHERE = ("landmark_localization", "lesion_map_segmentation")  # their networks are other bundles'
TRAINED = [bundle for bundle in BUNDLES if bundle.name not in TRAINED_ELSEWHERE]
WEIGHTED = [bundle for bundle in BUNDLES if (bundle / "models" / "model.pt").is_file()]

pytestmark = pytest.mark.slow


def config_of(bundle, name):
    return json.loads((bundle / "configs" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=WEIGHTED, ids=lambda path: path.name)
def bundle(request):
    return request.param


@pytest.fixture(scope="module", params=TRAINED, ids=lambda path: path.name)
def trainable(request):
    return request.param


@pytest.fixture(scope="module")
def opened(bundle, elsewhere, tmp_path_factory):
    """A bundle, the folder in which a process far from it left what it made of it, and that process's answers."""
    output = tmp_path_factory.mktemp(bundle.name)
    words = [Path(__file__).parent / "open_bundle.py", bundle, output]
    # where a network is made by the bundle's own code, clients are told where that is
    path = str(bundle) if "scripts." in json.dumps(config_of(bundle, "inference")["network_def"]) else ""
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    process = [sys.executable, "-W", "ignore", *map(str, words)]
    done = subprocess.run(process, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return bundle, output, json.loads((output / "answers.json").read_text(encoding="utf-8"))


@pytest.mark.one_of_all
@pytest.mark.parametrize("way", ["loaded", "loaded for inference", "loaded into a network of one's own"])
def test_every_tensor_is_loaded(opened, way):
    assert opened[2][way] is True


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


@pytest.mark.one_of_all
def test_torchscript_says_what_the_network_says(opened, crop_and_embedding):
    crop, embedding = crop_and_embedding
    with torch.no_grad():
        exported = torch.jit.load(opened[1] / "model.ts").eval()(crop)
    assert torch.allclose(exported, embedding, rtol=1e-4, atol=1e-4 * embedding.abs().max())


@pytest.mark.one_of_all
def test_onnx_says_what_the_network_says(opened, crop_and_embedding):
    crop, embedding = crop_and_embedding
    session = onnxruntime.InferenceSession(opened[1] / "model.onnx", providers=["CPUExecutionProvider"])
    (exported,) = session.run(None, {session.get_inputs()[0].name: crop.numpy()})
    assert np.allclose(exported, embedding, rtol=1e-4, atol=1e-4 * float(embedding.abs().max()))


@pytest.fixture(scope="module")
def no_runs(tmp_path_factory):
    """A database of no runs: MLflow makes its tables for longer than a training takes."""
    path = tmp_path_factory.mktemp("mlflow") / "mlruns.db"
    MlflowClient(path_to_sqlite_uri(str(path))).search_experiments()
    return path


@pytest.mark.one_of_a_kind
def test_a_training_is_tracked_by_mlflow(run, small_for, tiny_for, trainable, bodies_for, elsewhere, no_runs, tmp_path):
    shutil.copy(no_runs, tmp_path)
    overrides = small_for(trainable) | tiny_for(trainable)
    overrides |= {"dataset_dir": bodies_for(trainable), "output_dir": tmp_path}
    run(trainable, "train", cwd=elsewhere, tracking="mlflow", **overrides)
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


@pytest.fixture(scope="module")
def site(small_for, tiny_for, trainable, bodies_for, elsewhere, tmp_path_factory):
    """What a federated client of a bundle did: a round of training, an evaluation of the server's weights, a round."""
    folder = tmp_path_factory.mktemp("site")
    given = {
        "dataset_dir": str(bodies_for(trainable)),
        "output_dir": str(folder),
        "device": "cpu",
        **small_for(trainable),
        **tiny_for(trainable),
    }
    evaluation, own = dict(given), {}
    if trainable in EVALUATED_OTHERWISE:  # whose evaluate.json takes scans as inference does, or what a run leaves
        evaluation = given | {"validate#handlers": EVALUATED_OTHERWISE[trainable]}
        own = {"config_evaluate_filename": "configs/train.json"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        client = MonaiAlgo(str(trainable), send_weight_diff=False, train_kwargs=given, eval_kwargs=evaluation, **own)
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


@pytest.mark.one_of_a_kind
def test_a_federated_client_returns_weights_that_it_trained(site):
    weights = site.returned.weights
    assert site.returned.weight_type == WeightType.WEIGHTS and weights.keys() == site.sent.keys()
    assert any(not np.array_equal(weights[name], site.sent[name]) for name in weights)


@pytest.mark.one_of_a_kind
def test_a_federated_client_evaluates_weights_that_it_is_sent(site):
    assert np.isfinite(site.metrics["validation_loss"])


@pytest.mark.one_of_a_kind
def test_weights_that_are_only_evaluated_are_not_kept_as_the_best(site):
    assert site.kept == site.best


@pytest.mark.one_of_a_kind
def test_a_federated_client_trains_round_after_round(site):
    assert site.epochs == 2


def test_a_downloaded_bundle_runs_with_its_own_code_from_any_folder(launch, one_scan, elsewhere, tmp_path):
    address = write_release(CLASSIFIER, tmp_path / "dist").as_uri()
    download(name=CLASSIFIER.name, url=address, bundle_dir=str(tmp_path))
    downloaded = tmp_path / CLASSIFIER.name
    (downloaded / "scripts" / "__init__.py").write_text("print('the downloaded code')\n", encoding="utf-8")
    output = launch(downloaded, "inference", cwd=elsewhere, dataset_dir=one_scan, output_dir=tmp_path / "out")
    assert "the downloaded code" in output and (tmp_path / "out" / "scores.csv").is_file()
