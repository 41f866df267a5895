"""Configurations say everything, in one order and one vocabulary."""

import json
import re
from pathlib import Path

import pytest
import torch
from monai.bundle import ComponentLocator, ConfigComponent, ConfigParser
from monai.data import MetaTensor
from monai.utils import min_version, optional_import

from scripts.runs.kinds import fits, settings_of
from scripts.runs.settings import LEARNED_FROM

METHODS = {"isimed", "barlow_twins", "simclr", "isimed_barlow"}  # of arXiv 2410.16947
BUNDLES = Path(__file__).parents[2] / "bundles"
TRAINABLE = sorted(path.parent.parent for path in BUNDLES.glob("*_pretraining/configs/train.json"))
LOCATOR = ComponentLocator()  # looks for MONAI's components once
PAPERS = [path for path in TRAINABLE if path.name.removesuffix("_pretraining") in METHODS]
PRETEXT = [path for path in TRAINABLE if "control" in json.loads((path / "configs" / "train.json").read_text("utf-8"))]
WEIGHTED = [path for path in TRAINABLE if (path / "models" / "model.pt").is_file()]
CONFIGS = sorted(path for path in BUNDLES.glob("*/configs/*.json") if path.name != "metadata.json")
WHOLE = ("train", "linear_probe", "subject_outcomes", "class_probe", "class_maps", "inference", "fine_tune_outcomes")
WHOLE += ("association",)
WHOLE = [path for path in CONFIGS if path.stem in WHOLE]
VOCABULARY = {"bundle_root", "dataset_dir", "output_dir", "ckpt_dir", "resume", "device", "seed", "max_epochs", "amp"}
VOCABULARY |= {"batch_size", "crops_per_volume", "crop_size", "spacing", "embedding_size", "learning_rate"}
VOCABULARY |= {"num_workers", "val_interval"}
ORDER = ["network_def", "network", "loss", "optimizer", "lr_scheduler", "cohort", "scans", "split", "intensity"]
ORDER += ["train", "validate", "initialize", "run", "finalize"]


def label(path):
    return f"{path.parts[-3]}/{path.name}"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


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


@pytest.mark.parametrize("bundle", WEIGHTED, ids=lambda path: path.name)
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
def test_inference_prepares_scans_as_training_does_or_as_an_evaluation_where_that_is_of_cases(bundle):
    train, inference = (read(bundle / "configs" / f"{name}.json") for name in ("train", "inference"))
    if "modalities" in train:
        evaluation = read(bundle / "configs" / "evaluate.json")
        train["train"]["deterministic_transforms"] = evaluation["train#deterministic_transforms"]
    assert inference["preprocessing"]["transforms"][:-1] == train["train"]["deterministic_transforms"]
    for key in (
        "network_def",
        "frame",
        "images",
        "network_inputs",
        "spacing",
        "crop_size",
        "embedding_size",
        "amp",
        "scans",
        "intensity",
    ):
        assert inference[key] == train[key], key


CLASSIFIER, LESION_MAP = (BUNDLES / name for name in ("lesion_classification", "lesion_map_segmentation"))


def test_landmarks_are_found_by_the_encoder_of_isimed_pretraining():
    pretraining, landmarks = (BUNDLES / name for name in ("isimed_pretraining", "landmark_localization"))
    for path in ("models/model.pt", "models/config.json", "models/split.json"):
        assert (landmarks / path).samefile(pretraining / path)
    ours, theirs = (read(bundle / "configs" / "train.json") for bundle in (landmarks, pretraining))
    assert ours | {"_desc_": ""} == theirs | {"_desc_": ""}


def test_a_lesion_map_asks_the_classifiers_own_network():
    for path in ("models/model.pt", "models/config.json"):
        assert (LESION_MAP / path).samefile(CLASSIFIER / path)


def test_the_weights_of_the_classifier_are_used_with_the_settings_that_they_depend_on():
    config, settings = (read(CLASSIFIER / path) for path in ("configs/train.json", "models/config.json"))
    assert settings.keys() == {"_desc_", "_warning_", *LEARNED_FROM} - {"embedding_size", "frame"}
    assert all(config[key] == settings[key] for key in settings.keys() - {"_desc_", "_warning_"})


def test_the_classifier_has_the_vocabulary_of_all_bundles_and_their_order():
    config = read(CLASSIFIER / "configs" / "train.json")
    assert config.keys() >= VOCABULARY - {"embedding_size"}
    assert [key for key in config if key in ORDER] == [key for key in ORDER if key != "lr_scheduler"]


SEGMENTER = BUNDLES / "organ_segmentation"


def test_segmentation_has_the_vocabulary_of_all_bundles():
    assert read(SEGMENTER / "configs" / "train.json").keys() >= VOCABULARY - {"embedding_size"}


def test_the_weights_of_segmentation_are_used_with_the_settings_that_they_depend_on():
    if not (SEGMENTER / "models" / "config.json").is_file():
        pytest.skip("it has no weights yet")
    config, settings = (read(SEGMENTER / path) for path in ("configs/train.json", "models/config.json"))
    described = {"_desc_", "_warning_"}
    assert settings.keys() == described | {"dropout", *LEARNED_FROM} - {"network_def", "embedding_size", "frame"}
    assert all(config[key] == settings[key] for key in settings.keys() - described)


def test_test_scans_are_segmented_as_at_inference():
    train, inference = (read(SEGMENTER / "configs" / f"{name}.json") for name in ("train", "inference"))
    assert train["test"]["preprocessing"] == inference["preprocessing"]
    assert str(train["test"]["postprocessing"]).replace("@test#", "@") == str(inference["postprocessing"])
    for key in ("dropout", "spacing", "crop_size", "amp", "scans", "cohort", "intensity"):
        assert inference[key] == train[key], key


@pytest.mark.parametrize("layers", ["output", "several", "early", "centre"])
def test_all_sets_of_layers_are_those_of_the_u_nets_encoder(layers):
    parser = ConfigParser()
    files = [BUNDLES / "isimed_pretraining" / "configs" / f"{name}.json" for name in ("inference", "unet_encoder")]
    parser.read_config(files)
    parser["layers"], parser["device"] = layers, torch.device("cpu")
    assert parser.get_parsed_content("network").eval()(torch.zeros(1, 1, 32, 32, 32)).ndim == 2


def test_the_defaults_of_the_classifier_are_those_of_the_paper():
    config = read(CLASSIFIER / "configs" / "train.json")
    assert (config["crops_per_volume"], config["max_epochs"], config["learning_rate"]) == (32, 25, 1e-3)
    assert config["optimizer"]["_target_"] == "torch.optim.Adam"
    assert config["loss"]["_target_"] == "torch.nn.BCEWithLogitsLoss"


@pytest.mark.parametrize("path", WHOLE, ids=label)
def test_every_setting_is_described(path):
    config = read(path)
    keys = list(config)
    settings = keys[
        keys.index("imports") + 1 : min(keys.index(key) for key in ("network_def", "cohort") if key in keys)
    ]
    made = (
        "encoder_def",
        "encoder_network",
        "example",
        "unseen",
        "classes",
        "told",
        "outcome",
        "subject_folds",
        "table",
        "in_table",
    )
    settings = [key for key in settings if not key.startswith("_desc_") and key not in made]
    assert not [key for key in settings if f"_desc_{key}_" not in config]


@pytest.mark.parametrize("path", WHOLE, ids=label)
def test_every_setting_is_used(path):
    config = read(path)
    referred = set(re.findall(r"@(\w+)", json.dumps(config)))
    assert not {setting.name for setting in settings_of(config)} - referred - {"ckpt_dir", "dataset_dir"}


@pytest.mark.parametrize("path", CONFIGS, ids=label)
def test_the_description_of_a_setting_begins_with_what_it_may_be(path):
    for setting in settings_of(read(path)):
        is_expression = isinstance(setting.value, str) and setting.value.startswith("$")
        assert is_expression or fits(setting.kind, setting.value), setting
        fits(setting.kind, None)  # raises where there is no such kind


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.name == "train.json"], ids=label)
def test_a_training_names_no_overlay_that_does_not_lie_beside_it(path):
    named = set(re.findall(r"(\w+)\.json", read(path)["_desc_"]))
    assert named <= {other.stem for other in path.parent.glob("*.json")}


@pytest.mark.parametrize("path", CONFIGS, ids=label)
def test_a_configuration_begins_with_what_it_does(path):
    assert next(iter(read(path))) == "_desc_"


@pytest.mark.parametrize("path", CONFIGS, ids=label)
def test_expressions_are_short_and_address_no_handler_by_position(path):
    for expression in expressions(path):
        assert len(expression) <= 110, expression
        assert not re.search(r"handlers(#|::)\d|handlers\[", expression)


@pytest.mark.parametrize("path", CONFIGS, ids=label)
def test_every_component_can_be_found(path):
    for item in walk(read(path)):
        if isinstance(item, dict) and "_target_" in item:
            name = ConfigComponent(config=item, locator=LOCATOR).resolve_module_name()
            module, _, attribute = name.rpartition(".")
            assert optional_import(module, "", min_version, attribute)[1], name


@pytest.mark.parametrize("path", CONFIGS, ids=label)
def test_what_keeps_scans_in_memory_asks_whether_it_has_room(path):
    parts = [item for item in walk(read(path)) if isinstance(item, dict) and "_target_" in item]
    keep = [part for part in parts if "@cache_rate" in str(part.get("cache_rate")) and "spare_dir" not in part]
    assert all("@kept_in" in str(part) for part in keep)


@pytest.mark.parametrize("bundle", PAPERS, ids=lambda path: path.name)
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


@pytest.mark.parametrize("bundle", PAPERS, ids=lambda path: path.name)
def test_the_papers_batch_is_in_its_own_overlay(bundle):
    config = read(bundle / "configs" / "paper.json")
    assert (config["batch_size"], config["max_epochs"]) == (64, 50)


@pytest.mark.parametrize(
    "bundle", [path for path in PRETEXT if (path / "configs" / "paper.json").is_file()], ids=lambda path: path.name
)
def test_the_rate_and_length_of_the_paper_of_pretext_tasks_are_in_their_own_overlay(bundle):
    parser = ConfigParser()
    parser.read_config([bundle / "configs" / f"{name}.json" for name in ("train", "paper")])
    assert (parser["learning_rate"], parser["max_epochs"], parser["lr_scheduler"]["gamma"]) == (1e-4, 1000, 1)
    assert parser["optimizer"]["_target_"] == "torch.optim.Adam"


@pytest.mark.parametrize("bundle", PRETEXT, ids=lambda path: path.name)
def test_pretext_tasks_train_the_u_nets_encoder_as_their_overlay_of_other_bundles_does(bundle):
    train, overlay = (read(bundle / "configs" / f"{name}.json") for name in ("train", "unet_encoder"))
    assert all(train[key] == overlay[key] for key in ("network_def", "embedding_size"))


def annealed(epochs):
    parser = ConfigParser()
    parser.read_config([BUNDLES / "isimed_pretraining" / "configs" / f"{name}.json" for name in ("train", "annealed")])
    parser.update(
        {"max_epochs": epochs, "network_def": {"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1}}
    )
    return parser.get_parsed_content("optimizer"), parser.get_parsed_content("lr_scheduler")


def rates(optimizer, scheduler, epochs):
    found = []
    for _ in range(epochs):
        optimizer.step()
        scheduler.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


@pytest.mark.one_of_a_kind
@pytest.mark.parametrize("bundle", TRAINABLE, ids=lambda path: path.name)
def test_on_gpus_normalisation_spans_processes_and_weights_have_the_names_that_they_have_in_one(bundle, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    parser = ConfigParser(
        ConfigParser.load_config_files([bundle / "configs" / f"{name}.json" for name in ("train", "multi_gpu_train")])
    )
    spanning = parser.get_parsed_content("train#network")
    alone = ConfigParser(read(bundle / "configs" / "train.json")).get_parsed_content("network_def")
    kinds = set(map(type, spanning.modules()))
    assert torch.nn.SyncBatchNorm in kinds and torch.nn.BatchNorm3d not in kinds
    assert spanning.state_dict().keys() == alone.state_dict().keys()


def test_the_annealed_learning_rate_falls_to_0_along_a_cosine():
    assert rates(*annealed(epochs=4), 4) == pytest.approx(
        [0.002 * share for share in (0.853553, 0.5, 0.146447, 0)], abs=1e-8
    )


def test_a_prolonged_run_has_the_annealed_learning_rate_of_its_new_length():
    optimizer, scheduler = annealed(epochs=2)
    rates(optimizer, scheduler, 2)
    longer = annealed(epochs=4)
    for old, new in zip((optimizer, scheduler), longer, strict=True):
        new.load_state_dict(old.state_dict())
    assert rates(*longer, 2) == pytest.approx([0.002 * 0.146447, 0], abs=1e-8)


@pytest.mark.parametrize("said, meant", [("true", True), ("false", False), (True, True), (False, False)])
def test_switches_may_be_said_in_small_letters_on_the_command_line(said, meant):
    parser = ConfigParser(read(BUNDLES / "isimed_pretraining" / "configs" / "train.json"))
    parser.update({"amp": said, "resume": said})
    assert parser.get_parsed_content("train#inferer").amp is meant
    assert (parser.get_parsed_content("train#load_checkpoint#_disabled_")) is not meant


@pytest.mark.parametrize(("layers", "features"), [("output", 1024), ("several", 3584), ("early", 512)])
def test_inference_embeds_by_the_layers_that_it_is_told(layers, features):
    parser = ConfigParser()
    parser.read_config(BUNDLES / "isimed_pretraining" / "configs" / "inference.json")
    parser["layers"], parser["device"] = layers, torch.device("cpu")
    network = parser.get_parsed_content("network").eval()
    assert network(torch.zeros(1, 1, 32, 32, 32)).shape == (1, features)


@pytest.mark.parametrize("config", ["subject_outcomes", "association", "linear_probe"])
def test_drasclr_is_told_where_each_crop_lies(config):
    parser = ConfigParser()
    folder = BUNDLES / "lesion_classification" / "configs"
    parser.read_config([folder / f"{name}.json" for name in (config, "drasclr_encoder")])
    parser.update({"place_range": [10.0, 20.0, 40.0]})
    crop = MetaTensor(torch.zeros(1, 4, 4, 4), affine=torch.eye(4))
    item = {"image": crop, "origin": torch.tensor([0.0, 0.0, 100.0])}
    placed = parser.get_parsed_content("test#location")(item)
    assert placed["place"].tolist() == pytest.approx([0.15, 0.075, -1])
    assert "place" in parser.get_parsed_content("test#run_batch").prepare_batch.inputs


DENSENET = {"_target_": "DenseNet121", "spatial_dims": 3, "in_channels": 2, "out_channels": 8}
RESNET18 = {"_target_": "monai.networks.nets.resnet18", "spatial_dims": 3, "n_input_channels": 2}


@pytest.mark.parametrize(
    ("encoder", "layer"), [(DENSENET, "features.denseblock1"), (RESNET18, "layer1")], ids=["DenseNet121", "ResNet"]
)
def test_a_linear_probe_counts_features_of_any_encoder_where_that_is(encoder, layer):
    """On a device that is not the CPU, and of two channels."""
    parser = ConfigParser()
    parser.read_config(str(BUNDLES / "lesion_classification" / "configs" / "linear_probe.json"))
    parser.update({"device": "meta", "encoder_def": encoder, "layer_sets": {"mine": [layer]}, "layers": "mine"})
    parser.get_parsed_content("test#encoder")
    network = parser.get_parsed_content("network_def")
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"meta"}
    assert network(torch.zeros(3, 2, 32, 32, 32, device="meta")).shape == (3, 1)


def test_runs_that_call_their_results_alike_do_not_share_a_folder():
    configs = {
        name: read(BUNDLES / f"lesion_classification/configs/{name}.json")
        for name in ("association", "cross_validate", "fine_tune_outcomes", "subject_outcomes")
    }
    kept = [
        next(step for step in config["run"] if "keep_results" in step.get("_target_", ""))
        for config in configs.values()
    ]
    files = [step["path"].split("'")[1].strip("/") for step in kept]
    assert [{*step["apart"]} for step in kept] == [{*files} - {file} for file in files]


def evaluation(**overrides):
    """Of a bundle's train.json with evaluate.json, and overrides in place of their keys."""
    parser = ConfigParser()
    parser.read_config([BUNDLES / "isimed_pretraining" / "configs" / f"{name}.json" for name in ("train", "evaluate")])
    parser.update({"device": "$torch.device('cpu')"} | overrides)
    return parser


RESNET = {"_target_": "resnet10", "spatial_dims": 3, "n_input_channels": 1}


@pytest.mark.parametrize(
    ("overrides", "layers", "sets"),
    [
        ({}, "several", ["output", "several", "early", "centre"]),
        ({"network_def": RESNET}, "output", ["output"]),
        ({"network_def": RESNET, "layer_sets": {"mine": ["layer2"]}, "layers": "mine"}, "mine", ["output", "mine"]),
    ],
)
def test_an_evaluation_reads_the_layers_that_a_network_has(overrides, layers, sets):
    parser = evaluation(**overrides)
    assert parser.get_parsed_content("layers") == layers
    assert list(parser.get_parsed_content("evaluate#layer_sets")) == sets


def test_layers_that_are_asked_for_and_not_there_are_refused_before_a_scan_is_read():
    run = evaluation()["run"]
    place = next(i for i, step in enumerate(run) if "layer_set" in str(step))
    assert place < run.index("$@split")
    parser = evaluation(network_def=RESNET, layers="several")
    with pytest.raises(RuntimeError) as raised:
        parser.get_parsed_content(f"run#{place}")
    assert "There are no layers several: give one of output, or add them to layer_sets" in str(raised.value.__cause__)


@pytest.mark.parametrize("bundle", WEIGHTED, ids=lambda path: path.name)
def test_an_evaluation_by_the_split_of_another_run_asks_whom_the_weights_have_seen(bundle, tmp_path):
    if not (bundle / "models" / "split.json").is_file():
        pytest.skip("weights without a split")
    (tmp_path / "split.json").write_text('{"train": [], "validate": [], "test": []}', encoding="utf-8")
    parser = ConfigParser(
        ConfigParser.load_config_files([bundle / "configs" / f"{x}.json" for x in ("train", "evaluate")])
    )
    tested = [{"subject": read(bundle / "models" / "split.json")["validate"][0]}]
    parser.update({"encoder": str(bundle / "models" / "model.pt"), "run_dir": str(tmp_path), "split": {"test": tested}})
    step = next(i for i, one in enumerate(parser["run"]) if "require_unseen" in str(one))
    assert step < next(i for i, one in enumerate(parser["run"]) if "record_settings" in str(one))
    with pytest.raises(RuntimeError) as raised:
        parser.get_parsed_content(f"run#{step}")
    assert "trained or validated on 1 of the 1 subjects" in str(raised.value.__cause__)
