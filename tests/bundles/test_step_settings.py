"""Overlays that change how a step is computed, and not what is learned."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

from scripts.inferers.grad_cache import GradCacheInferer
from scripts.networks.weights import load_encoder

ALL = Path(__file__).parents[2] / "bundles"
BUNDLES, CHANNELS_LAST, TRAINED = (
    sorted(path.parents[1] for path in ALL.glob(f"*/configs/{name}.json"))
    for name in ("grad_cache", "channels_last", "train")
)
ISIMED = ALL / "isimed_pretraining"
TINY = {"_target_": "DenseNet", "spatial_dims": 3, "in_channels": 1, "out_channels": "@embedding_size"}
TINY |= {"block_config": [1, 1], "init_features": 4, "growth_rate": 4, "bn_size": 1}


def parsed(bundle, *configs, **settings):
    parser = ConfigParser()
    parser.read_config([bundle / "configs" / f"{name}.json" for name in configs])
    parser.update({"device": torch.device("cpu"), **settings})
    return parser


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_crops_that_have_a_gradient_go_through_in_chunks(bundle):
    parser = parsed(bundle, "train", "grad_cache", chunk_size=5)
    key = "train#inferer#inferer" if bundle.name == "drasclr_pretraining" else "train#inferer"
    inferer = parser.get_parsed_content(key)
    assert isinstance(inferer, GradCacheInferer) and inferer.chunk_size == 5


def test_every_pretraining_has_the_overlay():
    assert {*BUNDLES} >= {*ALL.glob("*_pretraining")}


def test_all_trainings_of_torchs_own_convolutions_may_be_in_channels_last_memory():
    assert {*TRAINED} - {*CHANNELS_LAST} == {ALL / "drasclr_pretraining"}


@pytest.mark.parametrize("bundle", CHANNELS_LAST, ids=lambda path: path.name)
@pytest.mark.one_of_a_kind
def test_the_trainers_network_is_the_bundles_own_in_channels_last_memory(bundle):
    parser = parsed(bundle, "train", "channels_last")
    network, trained = map(parser.get_parsed_content, ("network", "train#trainer#network"))
    weights = [weight for weight in trained.parameters() if weight.ndim == 5 and weight.shape[1] > 1]
    assert trained is network
    assert all(weight.is_contiguous(memory_format=torch.channels_last_3d) for weight in weights) and weights


def test_a_network_of_two_dimensions_is_in_channels_last_memory_too():
    network = parsed(ISIMED, "train", "axial_slices", "channels_last").get_parsed_content("train#trainer#network")
    weights = [weight for weight in network.parameters() if weight.ndim == 4 and weight.shape[1] > 1]
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights) and weights


@pytest.mark.parametrize("bundle", TRAINED, ids=lambda path: path.name)
def test_whether_a_training_can_be_compiled_is_asked_once_its_settings_are_checked(bundle):
    (check, *_), (asked, *_) = (parsed(bundle, *names)["run"] for names in (["train"], ["train", "compile"]))
    assert asked == [check, "@train#compiles"]


@pytest.mark.slow
def test_weights_of_a_compiled_training_in_channels_last_memory_have_their_usual_names(
    run, small, cohort, tmp_path, monkeypatch
):
    monkeypatch.setattr("scripts.engines.compiled.require_compiler", lambda device: True)  # "eager" needs none
    settings = small | {"dataset_dir": cohort, "output_dir": tmp_path / "run", "network_def": TINY}
    run(
        ISIMED,
        "train",
        "compile",
        "channels_last",
        **settings,
        **{"train#trainer#compile_kwargs": {"backend": "eager"}},
    )
    network = parsed(ISIMED, "train", network_def=TINY).get_parsed_content("network_def")
    load_encoder(network, tmp_path / "run" / "encoder.pt")
    assert all(weight.is_contiguous() for weight in network.parameters())


@pytest.mark.slow
def test_a_training_that_cannot_be_compiled_ends_with_a_sentence_and_leaves_nothing(
    run, small, cohort, tmp_path, monkeypatch
):
    def no_compiler(*args, **kwargs):
        raise RuntimeError("No working C++ compiler found")

    monkeypatch.setattr(torch, "compile", no_compiler)
    settings = small | {"dataset_dir": cohort, "output_dir": tmp_path / "run"}
    said = run(ISIMED, "train", "compile", status=1, **settings)
    assert "torch.compile does not work on cpu here (No working C++ compiler found): mend that" in said
    assert "Traceback" not in said and not (tmp_path / "run").exists()
