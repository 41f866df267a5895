"""What is written once becomes every bundle's configurations, in the order in which data meets it."""

import json
from pathlib import Path

import pytest

from tools import compose
from tools.arrange import arrange

BUNDLES = Path(__file__).parents[2] / "bundles"
WHOLE = {"bundle_root": ".", "rate": 0.1, "network_def": {"_target_": "Net"}, "loss": "...", "train": {"steps": ["a"]}}


@pytest.mark.parametrize("bundle", compose.bundle_names())
def test_a_bundle_has_the_bytes_that_composing_gives(bundle):
    folder = BUNDLES / bundle / "configs"
    composed = {f"{name}.json": compose.as_text(config) for name, config in compose.compose(bundle).items()}
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")} == composed


def test_every_bundle_is_composed():
    assert compose.bundle_names() == sorted(path.parent.name for path in BUNDLES.glob("*/LICENSE"))


@pytest.fixture
def composed(tmp_path, monkeypatch):
    """A function: the files of a method on one layer, by name."""

    def files(layer, method):
        (tmp_path / "methods").mkdir()
        (tmp_path / "base").mkdir()
        for name, content in layer.items():
            (tmp_path / "base" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        (tmp_path / "methods" / "mine.json").write_text(json.dumps({"_bases_": ["base"], **method}), encoding="utf-8")
        monkeypatch.setattr(compose, "SOURCES", tmp_path)
        return compose.compose("mine")

    return files


def test_a_setting_of_a_method_stands_with_the_settings_and_its_description_before_it(composed):
    config = composed({"train": WHOLE}, {"train": {"weight": 2, "_desc_weight_": "of the loss", "loss": "$@weight"}})
    assert list(config["train"]) == ["bundle_root", "rate", "_desc_weight_", "weight", "network_def", "loss", "train"]


def test_a_component_of_a_method_stands_before_what_refers_to_it(composed):
    method = {
        "data": {"_target_": "D"},
        "split": {"_target_": "S", "of": "@data"},
        "train#steps": ["@split", "@train#view"],
        "train#view": {},
    }
    config = composed({"train": WHOLE}, {"train": method})["train"]
    assert list(config) == ["bundle_root", "rate", "network_def", "data", "split", "train"]
    assert list(config["train"]) == ["view", "steps"]


def test_what_nothing_refers_to_keeps_its_order():
    config = arrange({"part": {"a": 1, "d": 2, "c": 3}}, {"": {"part"}, "part": {"a"}})
    assert list(config["part"]) == ["a", "d", "c"]


def test_a_place_that_nothing_fills_is_left_out_and_so_is_what_a_method_takes_away(composed):
    config = composed({"train": {"_desc_rate_": "of learning", **WHOLE}}, {"train": {"rate": "..."}})["train"]
    assert config.keys() == {"bundle_root", "network_def", "train"}


def test_an_overlay_keeps_the_keys_that_are_for_another_file(composed):
    overlay = {"train#steps": ["b"], "+train#steps": ["c"]}
    assert composed({"more": overlay}, {"more": {"rate": 1}})["more"] == overlay | {"rate": 1}


def test_a_file_that_is_null_is_not_the_bundles(composed):
    assert composed({"train": WHOLE, "more": {"rate": 1}}, {"more": None}).keys() == {"train"}


def test_a_file_may_begin_with_another_one_or_anew(composed):
    layer = {"probe": {"_extends_": "train", "rate": 1}, "train": WHOLE, "evaluate": {"rate": 1}}
    files = composed(layer, {"evaluate": {"_extends_": None, "crops": 2}, "train": {"loss": 3}})
    assert files["probe"] == files["train"] | {"rate": 1} and files["evaluate"] == {"crops": 2}


def test_what_stands_in_another_file_is_put_where_it_is_named(composed):
    layer = {"parts": {"a": {"of": "%base/parts.json#b"}, "b": "@train#x"}, "train": WHOLE}
    assert composed(layer, {"train": {"loss": "%base/parts.json#a"}})["train"]["loss"] == {"of": "@train#x"}
