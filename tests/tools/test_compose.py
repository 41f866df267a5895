"""What is written once becomes every bundle's configurations, in the order in which data meets it."""

import json
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from scripts.errors import InputError
from tools import compose
from tools.arrange import arrange

BUNDLES = Path(__file__).parents[2] / "bundles"
METHODS = compose.SOURCES / "methods"
GUIDE = BUNDLES.parent / "docs" / "how-to" / "add-a-method.md"
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


def test_a_place_that_nothing_fills_is_refused_where_something_refers_to_it(composed):
    whole = WHOLE | {"train": {"regions": "...", "steps": ["@train#regions"]}}
    with pytest.raises(InputError, match=r"train\.json refers to train#regions, and no layer says what that is"):
        composed({"train": whole}, {"train": {"rate": 1}})


def test_the_guide_names_each_layer_of_methods_with_a_pretext_task():
    bases = {
        name for path in METHODS.glob("*.json") for name in json.loads(path.read_text(encoding="utf-8"))["_bases_"]
    }
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name in sorted(bases) if name.startswith("pretext") and f"`{name}`" not in guide] == []


@pytest.mark.parametrize(
    ("layers", "asked"),
    [
        (["pretext_region", "pretext_classes"], {"train#task": ["@train#turn"], "train#turn": {"_target_": "Turn"}}),
        (["pretext_grid", "pretext_classes"], {"train#question": {"_target_": "Order"}}),
    ],
    ids=["region", "grid"],
)
def test_a_method_with_a_pretext_task_is_composed_of_what_the_guide_says(layers, asked, tmp_path, monkeypatch):
    monkeypatch.setattr(compose, "SOURCES", Path(shutil.copytree(compose.SOURCES, tmp_path / "configs")))
    own = {"head#classes": 5, "loss#label": "asked", **asked}
    for bases, refused in ((["pretext", *layers], False), (["pretext", *layers[1:]], True)):
        method = {"_bases_": ["training", "pretraining", *bases], "train": own}
        (tmp_path / "configs" / "methods" / "mine.json").write_text(json.dumps(method), encoding="utf-8")
        with pytest.raises(InputError) if refused else nullcontext():
            compose.compose("mine")


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
