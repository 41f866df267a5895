"""What every bundle has, whatever it is for: metadata, licence, name, all that MONAI asks for, weights that fit."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from monai.bundle import ConfigParser, create_workflow, verify_metadata

from scripts.networks.weights import load_encoder

BUNDLES = sorted(path.parent for path in (Path(__file__).parents[2] / "bundles").glob("*/LICENSE"))

# pretraining bundles are trained in test_pretraining.py, and so is the encoder of landmark_localization; a
# segmentation network in test_organ_segmentation.py, a generator in test_cross_modal_generation.py, a network of
# patches in test_interactive_mil_classification.py
TRAINED = [path for path in BUNDLES if path.name.startswith("lesion_")]


@pytest.fixture(params=BUNDLES, ids=lambda path: path.name)
def bundle(request):
    return request.param


@pytest.fixture
def weighted(bundle):
    """A bundle that has weights."""
    if not (bundle / "models" / "model.pt").is_file():
        pytest.skip("it has no weights yet")
    return bundle


@pytest.mark.slow
@pytest.mark.parametrize("bundle", TRAINED, ids=lambda path: path.name)
def test_a_training_leaves_what_it_learned_and_with_which_settings(train, bundle):
    left = train(bundle)
    assert (left / "models" / "model.pt").is_file() and (left / "history.csv").is_file()
    assert json.loads((left / "config.json").read_text(encoding="utf-8"))["max_epochs"] == 1


def test_the_weights_fit_the_network_that_is_declared(weighted):
    parser = ConfigParser()
    parser.read_config(weighted / "configs" / "inference.json")
    network = parser.get_parsed_content("network_def")
    assert load_encoder(network, weighted / "models" / "model.pt") is network


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_all_properties_that_monai_expects_are_there(bundle, kind, small_for, bodies_for, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", list(sys.path))
    config = bundle / "configs" / f"{kind}.json"
    of_weights = {"labels", "made_range"} & json.loads(config.read_text(encoding="utf-8")).keys()
    if of_weights and not (bundle / "models" / "model.pt").is_file():
        pytest.skip("its classes, or the range of what it makes, are those of its weights, and it has none yet")
    small = {"cache_rate": 0.0, **small_for(bundle)}
    settings = {key: small[key] for key in small.keys() & json.loads(config.read_text(encoding="utf-8"))}
    scans = bodies_for(bundle, kind)
    settings |= {"dataset_dir": str(scans), "output_dir": str(tmp_path), "bundle_root": str(bundle)}
    workflow = create_workflow(config_file=str(config), workflow_type=kind, logging_file=False, **settings)
    assert workflow.check_properties() == []


def test_metadata_follow_their_schema(bundle, request, tmp_path):
    schema = request.config.getoption("--schema")
    if schema is None:
        pytest.skip("no --schema FILE given")
    shutil.copy(schema, tmp_path / "schema.json")  # where it lies already, MONAI downloads none
    verify_metadata(str(bundle / "configs" / "metadata.json"), str(tmp_path / "schema.json"))


TOLD = {"name", "task", "description", "authors", "copyright", "data_source", "data_type", "image_classes"}
TOLD |= {"label_classes", "pred_classes", "eval_metrics", "intended_use", "references"}


def test_metadata_tell_all_that_the_model_zoo_shows(weighted):
    metadata = json.loads((weighted / "configs" / "metadata.json").read_text(encoding="utf-8"))
    assert not [key for key in TOLD if not metadata.get(key)]
    assert metadata["version"] in metadata["changelog"]
    assert all(isinstance(value, float) for value in metadata["eval_metrics"].values())


def test_the_licence_of_the_weights_says_how_they_scored(weighted):
    metadata = json.loads((weighted / "configs" / "metadata.json").read_text(encoding="utf-8"))
    said = (weighted / "docs" / "data_license.txt").read_text(encoding="utf-8")
    assert not [value for value in metadata["eval_metrics"].values() if str(value) not in said]


def test_a_name_is_one_that_the_model_zoo_can_read(bundle):
    assert "_v" not in bundle.name and bundle.name.islower()
    assert not [other for other in BUNDLES if other != bundle and bundle.name in other.name]
