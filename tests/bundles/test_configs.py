"""Configurations say everything, in one order and one vocabulary, and do not drift apart."""

import functools
import json
import re
from pathlib import Path

import pytest
from monai.bundle import ComponentLocator, ConfigComponent, ConfigParser
from monai.utils import min_version, optional_import

from scripts.runs.settings import LEARNED_FROM

BUNDLES = Path(__file__).parents[2] / "bundles"
TRAINABLE = sorted(path.parent.parent for path in BUNDLES.glob("*_pretraining/configs/train.json"))
LOCATOR = ComponentLocator()  # looks for MONAI's components once
CONFIGS = sorted(path for path in BUNDLES.glob("*/configs/*.json") if path.name != "metadata.json")
VOCABULARY = {"bundle_root", "dataset_dir", "output_dir", "ckpt_dir", "resume", "device", "seed", "max_epochs", "amp"}
VOCABULARY |= {"batch_size", "crops_per_volume", "crop_size", "spacing", "embedding_size", "learning_rate"}
VOCABULARY |= {"num_workers", "val_interval"}
ORDER = ["network_def", "network", "loss", "optimizer", "lr_scheduler", "scans", "split", "intensity"]
ORDER += ["train", "validate", "initialize", "run", "finalize"]


def read(path):
    return json.loads(path.read_text())


def walk(item):
    """All values of a configuration, at any depth."""
    yield item
    for child in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
        yield from walk(child)


def expressions(path):
    return [item for item in walk(read(path)) if isinstance(item, str) and item.startswith("$")]


@pytest.mark.parametrize("bundle", TRAINABLE, ids=lambda path: path.name)
def test_every_setting_of_the_vocabulary_can_be_overridden(bundle):
    config = read(bundle / "configs" / "train.json")
    assert config.keys() >= VOCABULARY


@pytest.mark.parametrize("bundle", TRAINABLE, ids=lambda path: path.name)
def test_sections_stand_in_the_order_in_which_data_meets_them(bundle):
    config = read(bundle / "configs" / "train.json")
    assert [key for key in config if key in ORDER] == ORDER


@pytest.mark.parametrize("bundle", TRAINABLE, ids=lambda path: path.name)
def test_the_weights_of_a_bundle_are_used_with_the_settings_that_they_depend_on(bundle):
    config, settings = read(bundle / "configs" / "train.json"), read(bundle / "models" / "config.json")
    assert settings.keys() == {"_desc_", *LEARNED_FROM}
    assert all(settings[key] == config[key] for key in LEARNED_FROM)


@pytest.mark.parametrize("bundle", TRAINABLE, ids=lambda path: path.name)
def test_all_that_a_loss_trains_is_optimised(bundle):
    """A head that is not would stay as it was drawn."""
    config = read(bundle / "configs" / "train.json")
    assert ("loss" in config["train"]["state"]) == ("@loss.parameters()" in config["optimizer"]["params"])
    assert "@network.parameters()" in config["optimizer"]["params"]


@pytest.mark.parametrize("bundle", TRAINABLE, ids=lambda path: path.name)
def test_inference_prepares_scans_as_training_does(bundle):
    train, inference = (read(bundle / "configs" / f"{name}.json") for name in ("train", "inference"))
    prepared = [step for step in train["train"]["deterministic_transforms"] if "FrameOrigind" not in str(step)]
    assert inference["preprocessing"]["transforms"][:-1] == prepared
    for key in ("network_def", "spacing", "crop_size", "embedding_size", "amp", "scans", "intensity"):
        assert inference[key] == train[key], key


# what makes a method; all else is the same in all pretraining bundles
OWN = {"_desc_", "_desc_settings_", "loss", "optimizer", "view"}
OWN |= {"pairs", "lambd", "temperature", "negatives", "barlow_weight"}
OWN_IN_TRAIN = {"views", "preprocessing", "prepare_batch", "crop_transforms", "state"}
OWN_IN_VALIDATE = {"views", "preprocessing", "distance_term", "barlow_term", "additional_metrics", "evaluator"}


def shared(config):
    """A training configuration without what makes its method."""
    rest = {key: value for key, value in config.items() if key not in OWN}
    for section, own in (("train", OWN_IN_TRAIN), ("validate", OWN_IN_VALIDATE)):
        rest[section] = {key: value for key, value in config[section].items() if key not in own}
    return rest


OTHERS = [bundle for bundle in TRAINABLE if bundle.name != "isimed_pretraining"]


@pytest.mark.parametrize("bundle", OTHERS, ids=lambda path: path.name)
def test_methods_differ_in_nothing_but_their_method(bundle):
    ours, isimed = (read(path / "configs" / "train.json") for path in (bundle, BUNDLES / "isimed_pretraining"))
    assert shared(ours) == shared(isimed)


@pytest.mark.parametrize("name", ["evaluate", "inference", "multi_gpu_train", "demo"])
@pytest.mark.parametrize("bundle", OTHERS, ids=lambda path: path.name)
def test_all_methods_are_judged_and_used_alike(bundle, name):
    ours, isimed = (read(path / "configs" / f"{name}.json") for path in (bundle, BUNDLES / "isimed_pretraining"))
    assert ours == isimed


@pytest.mark.parametrize("name", ["autopet", "brats", "lesion_free"])
@pytest.mark.parametrize("bundle", OTHERS, ids=lambda path: path.name)
def test_all_methods_find_a_data_set_alike(bundle, name):
    ours, isimed = (read(path / "configs" / f"{name}.json") for path in (bundle, BUNDLES / "isimed_pretraining"))
    assert ours == isimed


CLASSIFIER = BUNDLES / "lesion_classification"


@pytest.mark.parametrize("name", ["autopet", "brats"])
def test_a_classifier_finds_a_data_set_as_the_encoders_do(name):
    ours, isimed = (read(path / "configs" / f"{name}.json") for path in (CLASSIFIER, BUNDLES / "isimed_pretraining"))
    assert all(ours[key] == isimed[key] for key in ours.keys() - {"_desc_"})
    assert isimed.keys() - ours.keys() - {"split"} == {"val_size", "test_size"}


def only_the_image(steps):
    """Steps of a preprocessing as they are for an image without its mask."""
    shown = [step | {"keys": "image"} if isinstance(step, dict) and "keys" in step else step for step in steps]
    return [{k: v for k, v in step.items() if k != "mode"} if isinstance(step, dict) else step for step in shown]


def of_the_mask(step):
    return isinstance(step, dict) and step.get("keys") == "label"


def test_a_classifier_sees_scans_as_the_encoders_do():
    ours, isimed = (read(path / "configs" / "train.json") for path in (CLASSIFIER, BUNDLES / "isimed_pretraining"))
    for key in ("crop_size", "spacing", "frame", "amp", "imports", "scans", "intensity", "initialize"):
        assert ours[key] == isimed[key], key
    frozen = read(CLASSIFIER / "configs" / "frozen.json")
    assert frozen["encoder_def"] == isimed["network_def"] and frozen["embedding_size"] == isimed["embedding_size"]
    steps = [step for step in ours["train"]["deterministic_transforms"] if not of_the_mask(step)]
    assert only_the_image(steps) == only_the_image(isimed["train"]["deterministic_transforms"])


def resampled_by_monai(steps):
    """Steps of a preprocessing with the stock transform in place of ours, which gives the same image."""
    ours, stock = "scripts.transforms.spacing.KeysOnlySpacingd", "Spacingd"
    return json.loads(json.dumps(steps).replace(ours, stock))


def test_a_classifier_is_asked_about_scans_as_it_was_trained():
    train, inference, subjects = (
        read(CLASSIFIER / "configs" / f"{name}.json") for name in ("train", "inference", "subject_labels")
    )
    steps = [step for step in train["train"]["deterministic_transforms"] if not of_the_mask(step)]
    prepared = [step for step in only_the_image(steps) if "FrameOrigind" not in str(step)]
    assert resampled_by_monai(inference["preprocessing"]["transforms"]) == prepared
    of_subjects = [step for step in subjects["train#deterministic_transforms"] if "BodyBaselinesd" not in str(step)]
    assert only_the_image(of_subjects) == only_the_image(steps)
    for key in ("network_def", "network", "spacing", "crop_size", "amp", "scans", "intensity"):
        assert inference[key] == train[key], key


LESION_MAP = BUNDLES / "lesion_map_segmentation"


def test_a_lesion_map_asks_the_classifiers_own_network_in_its_own_way():
    ours, classifiers = (read(bundle / "configs" / "inference.json") for bundle in (LESION_MAP, CLASSIFIER))
    assert {key for key in ours if ours[key] != classifiers[key]} == {
        *("_desc_", "_desc_settings_", "threshold", "postprocessing", "handlers", "run")
    }
    for path in ("models/model.pt", "models/config.json", "configs/train.json"):
        assert (LESION_MAP / path).samefile(CLASSIFIER / path)


def test_the_weights_of_the_classifier_are_used_with_the_settings_that_they_depend_on():
    config, settings = (read(CLASSIFIER / path) for path in ("configs/train.json", "models/config.json"))
    assert settings.keys() == {"_desc_", "_warning_", "network_def", "spacing", "crop_size", "intensity"}
    assert all(config[key] == settings[key] for key in settings.keys() - {"_desc_", "_warning_"})


def test_classifiers_are_trained_on_several_gpus_as_encoders_are():
    ours, isimed = (
        read(path / "configs" / "multi_gpu_train.json") for path in (CLASSIFIER, BUNDLES / "isimed_pretraining")
    )
    assert {key for key in isimed if ours[key] != isimed[key]} == {"_desc_", "finalize"}


def test_the_classifier_has_the_vocabulary_of_all_bundles_and_their_order():
    config = read(CLASSIFIER / "configs" / "train.json")
    assert config.keys() >= VOCABULARY - {"embedding_size"}
    assert [key for key in config if key in ORDER] == [key for key in ORDER if key not in ("lr_scheduler", "split")]


def test_the_defaults_of_the_classifier_are_those_of_the_paper():
    config = read(CLASSIFIER / "configs" / "train.json")
    assert (config["crops_per_volume"], config["max_epochs"], config["learning_rate"]) == (32, 25, 1e-3)
    assert config["optimizer"]["_target_"] == "torch.optim.Adam"
    assert config["loss"]["_target_"] == "torch.nn.BCEWithLogitsLoss"


VIEWING = [bundle for bundle in TRAINABLE if "view" in read(bundle / "configs" / "train.json")]


@pytest.mark.parametrize("bundle", VIEWING[1:], ids=lambda path: path.name)
def test_methods_with_views_have_the_same_views(bundle):
    ours, others = (read(path / "configs" / "train.json") for path in (bundle, VIEWING[0]))
    for keys in (("view",), ("train", "views"), ("train", "preprocessing"), ("validate", "views")):
        assert functools.reduce(dict.get, keys, ours) == functools.reduce(dict.get, keys, others)
    ours, others = (read(path / "configs" / "anatomical_views.json") for path in (bundle, VIEWING[0]))
    assert ours["view"] == others["view"]


def test_there_are_four_methods_of_which_three_have_views():
    assert (len(TRAINABLE), len(VIEWING)) == (4, 3)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_a_configuration_begins_with_what_it_does(path):
    assert next(iter(read(path))) == "_desc_"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_expressions_are_short_and_address_no_handler_by_position(path):
    for expression in expressions(path):
        assert len(expression) <= 110, expression
        assert not re.search(r"handlers(#|::)\d|handlers\[", expression)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_every_component_can_be_found(path):
    for item in walk(read(path)):
        if isinstance(item, dict) and "_target_" in item:
            name = ConfigComponent(config=item, locator=LOCATOR).resolve_module_name()
            module, _, attribute = name.rpartition(".")
            assert optional_import(module, "", min_version, attribute)[1], name


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_a_file_is_formatted_as_json_does_it(path):
    assert path.read_text() == json.dumps(read(path), indent=4, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("bundle", TRAINABLE, ids=lambda path: path.name)
def test_the_defaults_are_those_of_the_paper(bundle):
    config = read(bundle / "configs" / "train.json")
    assert config["crop_size"] == [32, 32, 32]
    assert config["crops_per_volume"] == 16
    assert config["embedding_size"] == 1024
    assert config["network_def"]["_target_"] == "DenseNet121"
    assert (config["optimizer"]["_target_"], config["learning_rate"]) == ("torch.optim.AdamW", 1e-3)
    assert config["lr_scheduler"]["gamma"] == 0.9
    assert config["train"]["gradient_clipping"]["max_norm"] == 2.0
    assert config.get("pairs", "all") == "all"
    assert config.get("lambd", 0.0051) == 0.0051
    assert config["intensity"]["_target_"] == "ScaleIntensityRangePercentilesd"
    assert [config["intensity"][key] for key in ("lower", "upper", "b_min", "b_max")] == [5, 95, -1, 1]
    assert config["train"]["dataloader"]["shuffle"] is True


@pytest.mark.parametrize("bundle", TRAINABLE, ids=lambda path: path.name)
def test_the_papers_batch_is_in_its_own_overlay(bundle):
    config = read(bundle / "configs" / "paper.json")
    assert (config["batch_size"], config["max_epochs"]) == (64, 50)


@pytest.mark.parametrize("said, meant", [("true", True), ("false", False), (True, True), (False, False)])
def test_switches_may_be_said_in_small_letters_on_the_command_line(said, meant):
    parser = ConfigParser(read(BUNDLES / "isimed_pretraining" / "configs" / "train.json"))
    parser.update({"amp": said, "resume": said})
    assert parser.get_parsed_content("train#inferer").amp is meant
    assert (parser.get_parsed_content("train#load_checkpoint#_disabled_")) is not meant
