"""Settings are on record before a run starts, and no other run is lost."""

import json
import re

import pytest
from monai.bundle import ConfigParser

from scripts.errors import InputError


def configure(tmp_path, run, overrides=()):
    """A configuration that asks whether it may run and then records itself, with overrides as from a command line."""
    config = {
        "output_dir": str(tmp_path / "run"),
        "max_epochs": 50,
        "train": {"epochs": "@max_epochs"},
        "run": [{"_target_": f"scripts.runs.settings.{name}"} | RUNS[name] for name in (run, "record_settings")],
    }
    parser = ConfigParser(config)
    parser.update(dict(overrides))
    return parser


RECORD = {"path": "$@output_dir + '/config.json'"}
RUNS = {
    "open_run": {"output_dir": "@output_dir"},
    "keep_results": RECORD | {"free": ["label_shares"]},
    "open_evaluation": {"path": "$@output_dir + '/metrics.json'"},
    "record_settings": RECORD,
}


OPENING = ("open_run", "keep_results", "open_evaluation")


def recorded(tmp_path):
    return json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("run", RUNS)
def test_settings_are_recorded_with_overrides(tmp_path, run):
    configure(tmp_path, run, {"max_epochs": 3, "train#workers": 2}).get_parsed_content("run")
    assert recorded(tmp_path)["max_epochs"] == 3
    assert recorded(tmp_path)["train"] == {"epochs": "@max_epochs", "workers": 2}


def test_recorded_settings_can_be_run_again(tmp_path):
    configure(tmp_path, "record_settings", {"max_epochs": 3}).get_parsed_content("run")
    again = ConfigParser()
    again.read_config(str(tmp_path / "run" / "config.json"))
    assert again.get_parsed_content("train#epochs") == 3


def input_error(parser):
    """MONAI wraps what its components raise."""
    with pytest.raises(Exception) as caught:
        parser.get_parsed_content("run")
    error = caught.value
    while error is not None and not isinstance(error, InputError):
        error = error.__cause__
    return str(error)


@pytest.mark.parametrize("run", OPENING)
def test_asking_writes_nothing(tmp_path, run):
    parser = configure(tmp_path, run)
    parser["run"] = parser["run"][:1]
    parser.get_parsed_content("run")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def occupied(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_text("weights", encoding="utf-8")
    (tmp_path / "run" / "config.json").write_text("old settings", encoding="utf-8")
    return tmp_path / "run"


def test_a_folder_with_a_run_is_refused(tmp_path, occupied):
    message = input_error(configure(tmp_path, "open_run"))
    assert re.search(r"holds a run already.*--resume true.*--output_dir", message)


def test_a_refused_folder_keeps_its_settings(tmp_path, occupied):
    input_error(configure(tmp_path, "open_run"))
    assert (occupied / "config.json").read_text(encoding="utf-8") == "old settings"


RESUMED = {"run#0#resume": True, "seed": 0, "train#seed": "@seed"}


def test_a_run_may_be_resumed_for_longer(tmp_path, occupied):
    (occupied / "config.json").write_text(json.dumps({"seed": 0, "max_epochs": 50}), encoding="utf-8")
    configure(tmp_path, "open_run", RESUMED | {"max_epochs": 60}).get_parsed_content("run")
    assert recorded(tmp_path)["max_epochs"] == 60


def test_a_run_is_not_resumed_with_what_it_was_not_trained_with(tmp_path, occupied):
    (occupied / "config.json").write_text(json.dumps({"seed": 1}), encoding="utf-8")
    message = input_error(configure(tmp_path, "open_run", RESUMED))
    assert "seed is 0, but the run in" in message and "has 1: give --seed 1, or the configuration files" in message


@pytest.mark.parametrize("key, value", [("temperature", 0.5), ("view", {"holes": 3}), ("train#crops", {"size": 8})])
def test_no_setting_of_the_method_may_change_in_a_resume(tmp_path, occupied, key, value):
    before = ConfigParser({"seed": 0, "train": {}})
    before[key] = "another"
    (occupied / "config.json").write_text(json.dumps(before.get()), encoding="utf-8")
    message = input_error(configure(tmp_path, "open_run", RESUMED | {key: value, "train#used": f"@{key}"}))
    assert f"{key} is {json.dumps(value)}, but the run in" in message
    assert f"overrides of that run again, which {occupied / 'config.json'} has" in message


@pytest.mark.parametrize(
    "key, value", [("num_workers", 4), ("cache_rate", 0.5), ("patience", 5), ("_desc_", "Of an overlay.")]
)
def test_what_does_not_change_the_result_may_change_in_a_resume(tmp_path, occupied, key, value):
    (occupied / "config.json").write_text(json.dumps({"seed": 0, key: "another"}), encoding="utf-8")
    configure(tmp_path, "open_run", RESUMED | {key: value, "train#used": f"@{key}"}).get_parsed_content("run")
    assert recorded(tmp_path)[key] == value


def test_a_run_of_one_process_may_be_resumed_by_several(tmp_path, occupied):
    (occupied / "config.json").write_text(json.dumps({"seed": 0, "train": {"handlers": ["group"]}}), encoding="utf-8")
    several = {"train": {"seed": "@seed", "handlers": ["group", "patience"]}}
    configure(tmp_path, "open_run", {"run#0#resume": True, "seed": 0} | several).get_parsed_content("run")
    assert len(recorded(tmp_path)["train"]["handlers"]) == 2


def test_what_a_log_calls_the_items_of_a_batch_may_change_in_a_resume(tmp_path, occupied):
    (occupied / "config.json").write_text(json.dumps({"seed": 0, "train": {"progress": {}}}), encoding="utf-8")
    renamed = {"train": {"seed": "@seed", "progress": {"items": "scans"}}}
    configure(tmp_path, "open_run", {"run#0#resume": True, "seed": 0} | renamed).get_parsed_content("run")
    assert recorded(tmp_path)["train"]["progress"] == {"items": "scans"}


@pytest.mark.parametrize("key", ["dataset", "preparation"])
def test_where_scans_are_kept_may_change_in_a_resume(tmp_path, occupied, key):
    before, after = ({key: {"transform": "@seed"} | kept} for kept in ({}, {"store_dir": "@seed", "cache_rate": 0.0}))
    (occupied / "config.json").write_text(json.dumps({"seed": 0, "train": before}), encoding="utf-8")
    configure(tmp_path, "open_run", {"run#0#resume": True, "seed": 0, "train": after}).get_parsed_content("run")
    assert recorded(tmp_path)["train"] == after


@pytest.mark.parametrize("overlay", [{"network": {"_target_": "channels_last"}}, {"compile": True}])
def test_how_a_step_is_computed_may_change_in_a_resume(tmp_path, occupied, overlay):
    plain = {"network": "@network", "seed": "@seed"}
    for before, after in ((plain, plain | overlay), (plain | overlay, plain)):
        (occupied / "config.json").write_text(json.dumps({"seed": 0, "train": {"trainer": before}}), encoding="utf-8")
        again = {"run#0#resume": True, "seed": 0, "train": {"trainer": after}}
        configure(tmp_path, "open_run", again).get_parsed_content("run")
        assert recorded(tmp_path)["train"]["trainer"] == after


def test_what_a_step_computes_may_not(tmp_path, occupied):
    before, after = ({"seed": "@seed", "accumulation_steps": steps} for steps in (1, 4))
    (occupied / "config.json").write_text(json.dumps({"seed": 0, "train": {"trainer": before}}), encoding="utf-8")
    again = {"run#0#resume": True, "seed": 0, "train": {"trainer": after}}
    assert "train#trainer is" in input_error(configure(tmp_path, "open_run", again))


def test_a_description_may_be_reworded(tmp_path, occupied):
    before, after = ({"view": [{"_desc_": words, "holes": 3}], "seed": 0} for words in ("old words", "new words"))
    (occupied / "config.json").write_text(json.dumps(before), encoding="utf-8")
    configure(tmp_path, "open_run", RESUMED | after | {"train#used": "@view"}).get_parsed_content("run")
    assert recorded(tmp_path)["view"] == after["view"]


def test_a_run_that_would_never_validate_is_refused(tmp_path):
    settings = {"max_epochs": 3, "val_interval": 5, "train#interval": "@val_interval"}
    assert "val_interval is larger than max_epochs" in input_error(configure(tmp_path, "open_run", settings))


@pytest.mark.parametrize("budget", ["max_seconds", "max_crops"])
def test_a_run_that_may_end_before_it_validates_is_refused(tmp_path, budget):
    settings = {"max_epochs": 9, "val_interval": 5, budget: 60, "train#used": ["@val_interval", f"@{budget}"]}
    assert "leave val_interval 1" in input_error(configure(tmp_path, "open_run", settings))


def test_there_must_be_a_run_to_resume(tmp_path):
    message = input_error(configure(tmp_path, "open_run", {"run#0#resume": True}))
    assert re.search(r"no checkpoint\.pt in .* to resume from", message)


def test_results_are_made_again_with_the_same_settings_and_what_may_differ(tmp_path):
    own = {"label_shares": [], "device": "cpu", "_desc_": "once", "train#used": ["@label_shares", "@device"]}
    configure(tmp_path, "keep_results", own).get_parsed_content("run")
    again = own | {"label_shares": [0.5], "device": "cuda", "_desc_": "reworded"}
    configure(tmp_path, "keep_results", again).get_parsed_content("run")
    assert recorded(tmp_path)["label_shares"] == [0.5]


def test_results_that_are_written_over_are_announced(tmp_path, caplog):
    configure(tmp_path, "keep_results").get_parsed_content("run")
    configure(tmp_path, "keep_results").get_parsed_content("run")
    assert "holds results" not in caplog.text
    (tmp_path / "run" / "scores.csv").touch()
    configure(tmp_path, "keep_results").get_parsed_content("run")
    assert f"{tmp_path / 'run'} holds results of these settings already, which are written over." in caplog.text


def test_a_run_that_left_no_results_may_be_made_again_with_other_settings(tmp_path):
    configure(tmp_path, "keep_results").get_parsed_content("run")
    configure(tmp_path, "keep_results", {"max_epochs": 7}).get_parsed_content("run")
    assert recorded(tmp_path)["max_epochs"] == 7


@pytest.mark.parametrize("name", ["audit.csv", "audit.html", "converted/scan.nii.gz", "synthetic_cohort/dataset.json"])
def test_what_a_run_left_before_it_had_results_is_none(tmp_path, caplog, name):
    configure(tmp_path, "keep_results").get_parsed_content("run")
    (tmp_path / "run" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "run" / name).touch()
    configure(tmp_path, "keep_results", {"max_epochs": 7}).get_parsed_content("run")
    assert recorded(tmp_path)["max_epochs"] == 7 and "holds results" not in caplog.text


def test_an_evaluation_that_is_written_over_is_announced_whatever_its_settings_were(tmp_path, caplog):
    configure(tmp_path, "open_evaluation").get_parsed_content("run")
    assert not caplog.records
    (tmp_path / "run" / "metrics.json").touch()
    configure(tmp_path, "open_evaluation", {"max_epochs": 7}).get_parsed_content("run")
    assert f"{tmp_path / 'run' / 'metrics.json'} is of an earlier evaluation, which is written over." in caplog.text


@pytest.mark.parametrize("run", OPENING)
def test_a_folder_that_cannot_be_made_is_refused_before_a_scan_is_read(tmp_path, run):
    (tmp_path / "run").touch()
    assert f"{tmp_path / 'run'} cannot be made" in input_error(configure(tmp_path, run))


@pytest.mark.parametrize("run", OPENING)
def test_a_folder_in_which_another_run_has_been_meanwhile_is_not_written_to(tmp_path, run):
    parser = configure(tmp_path, run)
    others = {"path": str(tmp_path / "run" / ".lock"), "content": "process 1"}
    parser["run"] = [
        parser["run"][0],
        {"_target_": "scripts.atomic.write_json_atomically"} | others,
        {"_target_": "scripts.runs.lock.lock_folder", "folder": "@output_dir"},
    ]
    assert "Another run has begun in" in input_error(parser)


def test_results_of_other_settings_are_kept(tmp_path):
    configure(tmp_path, "keep_results").get_parsed_content("run")
    (tmp_path / "run" / "scores.csv").touch()
    with pytest.raises(Exception) as error:
        configure(tmp_path, "keep_results", {"max_epochs": 7}).get_parsed_content("run")
    assert "run holds results with another max_epochs: give another --output_dir" in str(error.value.__cause__)
    assert recorded(tmp_path)["max_epochs"] == 50


def test_a_finished_run_without_a_checkpoint_is_not_overwritten(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").touch()
    assert "holds a run already: give another --output_dir" in input_error(configure(tmp_path, "open_run"))


@pytest.mark.parametrize("own", [False, True])
def test_results_of_another_kind_are_not_lost(tmp_path, own):
    """Also beside results of this kind, of an earlier run."""
    settings = {"run#0#apart": ["outcomes_config.json"]}
    configure(tmp_path, "keep_results", settings).get_parsed_content("run")
    (tmp_path / "run" / "outcomes_config.json").touch()
    configure(tmp_path, "keep_results", settings).get_parsed_content("run")  # it left none
    (tmp_path / "run" / "scores.csv").touch()
    if not own:
        (tmp_path / "run" / "config.json").unlink()
    message = input_error(configure(tmp_path, "keep_results", settings))
    assert message.endswith("holds results of another kind (outcomes_config.json): give another --output_dir.")


def checking(tmp_path, more, **settings):
    """A configuration that asks whether it agrees with that of a run of {"cells": [3, 3, 3], "normalize": true}."""
    trained = {"cells": [3, 3, 3], "normalize": True, "batch_size": 4}
    (tmp_path / "config.json").write_text(json.dumps(trained), encoding="utf-8")
    step = {"_target_": "scripts.runs.settings.check_settings", "run_dir": str(tmp_path), "more": more}
    return ConfigParser({**settings, "run": [step]})


def test_settings_of_a_task_are_those_of_its_training_where_they_are_named(tmp_path):
    checking(tmp_path, ["cells"], cells=[3, 3, 3], batch_size=2).get_parsed_content("run")
    checking(tmp_path, ["cells"], batch_size=2).get_parsed_content("run")
    message = input_error(checking(tmp_path, ["cells", "batch_size"], cells=[3, 3, 3], batch_size=2))
    assert message.startswith("batch_size is 2, but the run in") and "--batch_size 4" in message


@pytest.mark.parametrize("said", [True, "true"])
def test_a_switch_of_the_command_line_is_what_it_means(tmp_path, said):
    checking(tmp_path, ["normalize"], normalize=said).get_parsed_content("run")


@pytest.mark.parametrize("said", [False, "false"])
def test_a_switch_that_is_the_other_way_is_refused(tmp_path, said):
    assert "the run in" in input_error(checking(tmp_path, ["normalize"], normalize=said))


@pytest.mark.parametrize(
    ("trained", "ours", "said"),
    [
        ("layer_features", "DenseNet121", "is a U-Net's: give unet_encoder.json as well"),
        ("DenseNet121", "layer_features", "is no U-Net's: leave unet_encoder.json out"),
    ],
)
def test_where_another_encoder_is_meant_its_overlay_is_named_and_no_size(tmp_path, trained, ours, said):
    run = {"network_def": {"_target_": trained}, "embedding_size": 256}
    (tmp_path / "config.json").write_text(json.dumps(run), encoding="utf-8")
    step = {"_target_": "scripts.runs.settings.check_settings", "run_dir": str(tmp_path), "keys": ["embedding_size"]}
    config = ConfigParser(
        {"encoder_def": {"_target_": ours, "_disabled_": True}, "embedding_size": 1024, "run": [step]}
    )
    assert said in input_error(config)
