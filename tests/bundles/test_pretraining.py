"""What every pretraining bundle does, and what one does for all."""

import json
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

from scripts.data.store.items import is_whole
from scripts.networks.weights import load_encoder

BUNDLES = sorted((Path(__file__).parents[2] / "bundles").glob("*_pretraining"))

pytestmark = pytest.mark.slow


@pytest.fixture(params=BUNDLES, ids=lambda path: path.name)
def bundle(request):
    return request.param


@pytest.fixture
def trained(train, bundle):
    """Folder of a run of one epoch."""
    return train(bundle)


def assert_is_plain_network(bundle, path):
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "train.json")
    network = parser.get_parsed_content("network_def")
    assert load_encoder(network, path) is network


def test_training_leaves_what_a_run_should(trained):
    left = {path.name for path in trained.iterdir()}
    assert {"config.json", "split.json", "checkpoint.pt", "encoder.pt", "history.csv", "models"} <= left
    assert any(name.startswith("events") for name in left)


def test_the_encoder_is_the_network_that_is_declared(bundle, trained):
    assert_is_plain_network(bundle, trained / "encoder.pt")


def test_rank_and_spread_of_the_embeddings_are_in_the_history(trained, history):
    (row,) = history(trained)
    assert float(row["rankme"]) >= 1 and float(row["embedding_std"]) > 0


@pytest.mark.one_of_all
def test_evaluation_writes_every_figure_beside_its_baselines(run, small, bundle, cohort, trained):
    settings = small | {"evaluation_crops": 8, "map_stride": 12}
    output = run(bundle, "train", "evaluate", dataset_dir=cohort, output_dir=trained, **settings)
    metrics = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))
    for name in ("location_error_mm", "location_r2", "distance_error_mm", "pca3_location_r2", "rankme"):
        assert name in metrics
        assert f"{name}_random_encoder" in metrics
    assert {"location_error_mm_mean_position", "location_error_mm_intensities", "subjects", "crops"} <= metrics.keys()
    assert (metrics["subjects"], metrics["crops"]) == (1, 8)
    assert str(trained / "report.html") in output
    assert (trained / "report.html").stat().st_size > 100_000


@pytest.fixture
def of_two(small, bodies_for):
    """A function: settings of a training of two processes."""
    settings = small | {"val_size": 2, "batch_size": 1, "test_size": 0.1}
    return lambda bundle, output: settings | {"dataset_dir": bodies_for(bundle), "output_dir": output}


@pytest.mark.one_of_all
def test_two_processes_train_under_torchrun_and_their_run_is_evaluated_with_its_own_settings(
    run, launch, of_two, history, bundle, tmp_path
):
    launcher = ("-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone")
    trained, settings = tmp_path / "2026", of_two(bundle, tmp_path / "2026")
    launch(bundle, "train", "multi_gpu_train", launcher=launcher, **settings)
    assert len(history(trained)) == 1
    assert_is_plain_network(bundle, trained / "encoder.pt")
    overrides = {"encoder": trained / "encoder.pt", "map_stride": 12, "evaluation_crops": 8}
    configs = ("train", trained / "config", "evaluate")
    run(bundle, *configs, dataset_dir=settings["dataset_dir"], output_dir=tmp_path / "results", **overrides)
    assert "<h1>Encoder 2026, on test subjects</h1>" in (tmp_path / "results" / "report.html").read_text("utf-8")


@pytest.mark.skipif(torch.cuda.is_available(), reason="processes with a GPU cannot be forked")
@pytest.mark.one_of_all
def test_two_processes_that_fill_an_empty_store_train_what_they_train_without(
    run_two, of_two, tiny_for, bundle, tmp_path
):
    for name, store in (("loaded", {}), ("stored", {"store_dir": tmp_path / "store"})):
        run_two(bundle, "train", "multi_gpu_train", **of_two(bundle, tmp_path / name), **tiny_for(bundle), **store)
    loaded, stored = (torch.load(tmp_path / name / "encoder.pt", weights_only=True) for name in ("loaded", "stored"))
    assert all(torch.equal(stored[name], loaded[name]) for name in loaded)
    entries = list((tmp_path / "store").iterdir())
    assert len(entries) == 5 and all(map(is_whole, entries))  # of six bodies, one is tested


@pytest.mark.one_of_all
def test_a_large_step_goes_through_the_network_in_chunks(run, small, history, bundle, cohort, tmp_path):
    settings = small | {"chunk_size": 3, "dataset_dir": cohort, "output_dir": tmp_path / "run"}
    run(bundle, "train", "grad_cache", **settings)
    assert len(history(tmp_path / "run")) == 1
    assert_is_plain_network(bundle, tmp_path / "run" / "encoder.pt")
