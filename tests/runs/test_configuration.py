"""Keys and values are checked before anything is read or written; help says what there is to set."""

import json
import sys
from pathlib import Path

import pytest
from monai.bundle import ConfigParser, ConfigWorkflow
from monai.bundle import run as run_bundle

from scripts.errors import InputError
from scripts.runs.configuration import idle_settings, unknown_keys

BUNDLES = Path(__file__).parents[2] / "bundles"
CONFIGS = sorted(path for path in BUNDLES.glob("*/configs/*.json") if path.name != "metadata.json")


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


def check(**overrides):
    """Check a configuration, with overrides as from MONAI's command line."""
    config = {"_desc_max_epochs_": "whole number >= 1; of the training", "max_epochs": 50}
    config |= {"train": {"epochs": "@max_epochs"}}
    run(ConfigParser(config | overrides))


def run(parser):
    parser["run"] = {"_target_": "scripts.runs.configuration.check_configuration"}
    try:
        parser.get_parsed_content("run")
    except RuntimeError as error:  # MONAI wraps what its components raise
        raise error.__cause__ from None


def test_a_misspelt_key_is_refused_with_the_right_one():
    with pytest.raises(InputError, match=r"uses the key max_epoch: did you mean max_epochs\?"):
        check(max_epoch=3)


def test_a_key_like_no_other_is_refused():
    with pytest.raises(InputError, match="uses the key zzz: correct or remove it"):
        check(zzz=3)


@pytest.mark.parametrize("value", ["ten", 2.5, 0, True])
def test_a_value_of_another_kind_is_refused(value):
    with pytest.raises(InputError, match=r"max_epochs is .*: give a whole number >= 1 \(of the training\)\."):
        check(max_epochs=value)


def test_a_setting_without_dashes_is_refused(tmp_path):
    (tmp_path / "train.json").write_text(json.dumps({"train": {}}), encoding="utf-8")
    (tmp_path / "metadata.json").write_text("{}", encoding="utf-8")
    workflow = ConfigWorkflow(str(tmp_path / "train.json"), logging_file=False, init_id="batch_size=3")
    workflow.parser["run"] = {"_target_": "scripts.runs.configuration.check_configuration"}
    with pytest.raises(RuntimeError) as caught:
        workflow.run()
    assert str(caught.value.__cause__).startswith("batch_size=3 is no part of this configuration: a setting has dashes")


@pytest.mark.parametrize("files, refused", [(["a"], False), (["a", "b"], True), (["train", "a", "b"], False)])
def test_a_setting_that_was_given_and_has_no_effect_is_refused_unless_it_may_be_of_a_training(tmp_path, files, refused):
    check = {"_target_": "scripts.runs.configuration.check_configuration"}
    used = {"_desc_attend_": "whole number >= 0; where to look", "attend": 0}
    contents = {
        "a": {**used, "evaluator": {"of": "@attend"}, "run": [check, "$@evaluator"]},
        "b": {"run": [check]},
        "train": {"train": {}},
    }
    for name in files:
        (tmp_path / f"{name}.json").write_text(json.dumps(contents[name]), encoding="utf-8")
    given = {"config_file": [str(tmp_path / f"{name}.json") for name in files], "attend": 3}
    if not refused:
        return run_bundle(**given)
    with pytest.raises(RuntimeError) as caught:
        run_bundle(**given)
    cause = caught.value.__cause__
    assert isinstance(cause, InputError) and str(cause).startswith("attend has no effect with these")


def test_a_setting_that_has_no_effect_is_not_refused_where_it_was_not_given():
    config = {"_desc_attend_": "whole number >= 0; where to look", "attend": 0, "run": []}
    assert idle_settings(config, ["run"]) == ["attend"]
    run(ConfigParser(config))


def test_from_here_on_input_errors_are_one_line(capsys):
    check()
    sys.excepthook(InputError, InputError("Set pairs."), None)
    assert capsys.readouterr().err == "error: Set pairs.\n"


def named(path):
    return f"{path.parts[-3]}/{path.name}"


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_help_lists_the_settings_of_every_configuration_and_all_that_lies_beside_it(path, capsys):
    config = ConfigParser.load_config_files([*base_of(path), path])
    parser = ConfigParser(config | {"bundle_root": str(path.parents[1]), "help": True})
    with pytest.raises(SystemExit) as ended:
        run(parser)
    said = capsys.readouterr().out
    assert ended.value.code == 0
    for key in [key for key in config if f"_desc_{key}_" in config and not isinstance(config[key], dict)]:
        assert f"--{key} " in said
    assert all(f"configs/{other.name}\n" in said for other in CONFIGS if other.parent == path.parent)


def base_of(path):
    """The configurations that an overlay needs before it."""
    if "bundle_root" in json.loads(path.read_text(encoding="utf-8")):
        return []
    of_inference = path.parts[-3].endswith(("_segmentation", "_generation", "_mil_classification"))
    if not (of_inference and path.stem.startswith("evaluate")):
        return [path.with_name("train.json")]
    before = ["inference.json", "evaluate.json"] if path.stem.startswith("evaluate_") else ["inference.json"]
    return [path.with_name(name) for name in before]


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_the_check_is_the_first_item_of_every_run(path):
    config = json.loads(path.read_text(encoding="utf-8"))
    if "run" in config:
        assert config["run"][0] == {"_target_": "scripts.runs.configuration.check_configuration"}
