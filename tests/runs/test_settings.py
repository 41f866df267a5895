"""Settings are checked and on record before a run starts, and no other run is lost."""

import json
import re
import sys

import pytest
from monai.bundle import ConfigParser

from scripts.errors import InputError
from scripts.runs.settings import unknown_keys


@pytest.fixture(autouse=True)
def _excepthook(monkeypatch):
    """Put back what runs replace."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.mark.parametrize("reference", ["@seed", "$@seed + 1", "%seed", "@seed#value", "$f(@other, @seed)"])
def test_keys_that_are_referred_to_are_known(reference):
    assert unknown_keys({"seed": 0, "other": 1, "train": {"list": [{"deep": reference}, "@other"]}}) == []


def test_keys_that_nothing_refers_to_are_unknown():
    assert unknown_keys({"seed": 0, "sed": 1, "train": "@seed"}) == ["sed"]


def test_a_longer_reference_does_not_make_a_key_known():
    assert unknown_keys({"lr": 1, "lr_scheduler": 2, "train": "@lr_scheduler"}) == ["lr"]


@pytest.mark.parametrize("key", ["_desc_", "_desc_settings_", "_meta_", "imports", "initialize", "run", "finalize"])
def test_what_monai_reads_by_name_is_known(key):
    assert unknown_keys({key: 1}) == []


def configure(tmp_path, run, overrides=()):
    """A configuration as MONAI runs it, with overrides as from its command line."""
    config = {
        "output_dir": str(tmp_path / "run"),
        "max_epochs": 50,
        "train": {"epochs": "@max_epochs"},
        "run": {"_target_": f"scripts.runs.settings.{run}"} | RUNS[run],
    }
    parser = ConfigParser(config)
    parser.update(dict(overrides))
    return parser


RUNS = {"record_settings": {"path": "$@output_dir + '/config.json'"}, "open_run": {"output_dir": "@output_dir"}}
RUNS["keep_results"] = {"path": "$@output_dir + '/config.json'", "free": ["label_shares"]}


def recorded(tmp_path):
    return json.loads((tmp_path / "run" / "config.json").read_text())


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


@pytest.mark.parametrize("run", RUNS)
def test_a_misspelt_key_is_refused_with_the_right_one(tmp_path, run):
    text = input_error(configure(tmp_path, run, {"max_epoch": 3}))
    assert "the key max_epoch: did you mean max_epochs?" in text


@pytest.mark.parametrize("run", RUNS)
def test_a_value_of_another_kind_is_refused(tmp_path, run):
    described = {"_desc_max_epochs_": "whole number >= 1; of the training", "max_epochs": "ten"}
    message = input_error(configure(tmp_path, run, described))
    assert message == 'max_epochs is "ten": give a whole number >= 1 (of the training).'


def test_a_key_like_no_other_is_refused(tmp_path):
    assert "the key zzz: correct or remove it." in input_error(configure(tmp_path, "open_run", {"zzz": 3}))


def test_nothing_is_written_for_a_misspelt_key(tmp_path):
    input_error(configure(tmp_path, "open_run", {"max_epoch": 3}))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def occupied(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_text("weights")
    (tmp_path / "run" / "config.json").write_text("old settings")
    return tmp_path / "run"


def test_a_folder_with_a_run_is_refused(tmp_path, occupied):
    message = input_error(configure(tmp_path, "open_run"))
    assert re.search(r"holds a run already.*--resume true.*--output_dir", message)


def test_a_refused_folder_keeps_its_settings(tmp_path, occupied):
    input_error(configure(tmp_path, "open_run"))
    assert (occupied / "config.json").read_text() == "old settings"


RESUMED = {"run#resume": True, "seed": 0, "train#seed": "@seed"}


def test_a_run_may_be_resumed_for_longer(tmp_path, occupied):
    (occupied / "config.json").write_text(json.dumps({"seed": 0, "max_epochs": 50}))
    configure(tmp_path, "open_run", RESUMED | {"max_epochs": 60}).get_parsed_content("run")
    assert recorded(tmp_path)["max_epochs"] == 60


def test_a_run_is_not_resumed_with_what_it_was_not_trained_with(tmp_path, occupied):
    (occupied / "config.json").write_text(json.dumps({"seed": 1}))
    message = input_error(configure(tmp_path, "open_run", RESUMED))
    assert "seed is 0, but the run in" in message and "has 1: give the configuration files" in message


@pytest.mark.parametrize("key, value", [("temperature", 0.5), ("view", {"holes": 3}), ("train#crops", {"size": 8})])
def test_no_setting_of_the_method_may_change_in_a_resume(tmp_path, occupied, key, value):
    before = ConfigParser({"seed": 0, "train": {}})
    before[key] = "another"
    (occupied / "config.json").write_text(json.dumps(before.get()))
    message = input_error(configure(tmp_path, "open_run", RESUMED | {key: value, "train#used": f"@{key}"}))
    assert f"{key} is {json.dumps(value)}, but the run in" in message
    assert f"overrides of that run again, which {occupied / 'config.json'} has" in message


@pytest.mark.parametrize("key, value", [("num_workers", 4), ("cache_rate", 0.5), ("_desc_", "Of an overlay.")])
def test_what_does_not_change_the_result_may_change_in_a_resume(tmp_path, occupied, key, value):
    (occupied / "config.json").write_text(json.dumps({"seed": 0, key: "another"}))
    configure(tmp_path, "open_run", RESUMED | {key: value, "train#used": f"@{key}"}).get_parsed_content("run")
    assert recorded(tmp_path)[key] == value


def test_a_description_may_be_reworded(tmp_path, occupied):
    before, after = ({"view": [{"_desc_": words, "holes": 3}], "seed": 0} for words in ("old words", "new words"))
    (occupied / "config.json").write_text(json.dumps(before))
    configure(tmp_path, "open_run", RESUMED | after | {"train#used": "@view"}).get_parsed_content("run")
    assert recorded(tmp_path)["view"] == after["view"]


def test_a_run_that_would_never_validate_is_refused(tmp_path):
    settings = {"max_epochs": 3, "val_interval": 5, "train#interval": "@val_interval"}
    assert "val_interval is larger than max_epochs" in input_error(configure(tmp_path, "open_run", settings))


def test_there_must_be_a_run_to_resume(tmp_path):
    message = input_error(configure(tmp_path, "open_run", {"run#resume": True}))
    assert re.search(r"no checkpoint\.pt in .* to resume from", message)


@pytest.mark.parametrize("run", RUNS)
def test_from_here_on_input_errors_are_one_line(tmp_path, capsys, run):
    configure(tmp_path, run).get_parsed_content("run")
    sys.excepthook(InputError, InputError("Set pairs."), None)
    assert capsys.readouterr().err == "error: Set pairs.\n"


def test_results_are_made_again_with_the_same_settings_and_what_may_differ(tmp_path):
    own = {"label_shares": [], "device": "cpu", "_desc_": "once", "train#used": ["@label_shares", "@device"]}
    configure(tmp_path, "keep_results", own).get_parsed_content("run")
    again = own | {"label_shares": [0.5], "device": "cuda", "_desc_": "reworded"}
    configure(tmp_path, "keep_results", again).get_parsed_content("run")
    assert recorded(tmp_path)["label_shares"] == [0.5]


def test_a_run_that_left_no_results_may_be_made_again_with_other_settings(tmp_path):
    configure(tmp_path, "keep_results").get_parsed_content("run")
    configure(tmp_path, "keep_results", {"max_epochs": 7}).get_parsed_content("run")
    assert recorded(tmp_path)["max_epochs"] == 7


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
