"""Runs that cannot be compared are told before they are evaluated."""

import json

import pytest

from scripts.errors import InputError
from scripts.runs.comparable_runs import check_runs

CONFIG = {"seed": 0, "spacing": [2, 2, 2], "crop_size": [32, 32, 32], "frame": "foreground"}
CONFIG["intensity"] = {"_desc_": "as in the paper", "lower": 5}
SPLIT = {"train": ["A", "B"], "validate": ["C"], "test": ["D"]}


@pytest.fixture
def run(tmp_path):
    """A function: folder of a training run, with these settings or this split in place of others."""

    def make(name, split=SPLIT, **settings):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(CONFIG | settings), encoding="utf-8")
        (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
        (folder / "encoder.pt").touch()
        return str(folder)

    return make


def test_runs_that_differ_in_their_method_are_comparable(run):
    described = CONFIG["intensity"] | {"_desc_": "as in ISImed's code"}
    check_runs([run("one"), run("two", temperature=0.1, max_epochs=3, intensity=described)])


@pytest.mark.parametrize("settings", [{"seed": 5}, {"spacing": [1, 1, 1]}, {"frame": "scanner"}])
def test_a_setting_that_moves_the_test_crops_is_named_with_both_values(run, settings):
    ((key, value),) = settings.items()
    expected = rf"{key} is {json.dumps(value)} in two and {json.dumps(CONFIG[key])} in one".replace("[", r"\[")
    with pytest.raises(InputError, match=expected.replace("]", r"\]")):
        check_runs([run("one"), run("two", **settings)])


def test_runs_with_other_test_subjects_are_refused(run):
    with pytest.raises(InputError, match=r"split\.json is .* in two"):
        check_runs([run("one"), run("two", split={"train": ["A", "D"], "validate": ["C"], "test": ["B"]})])


@pytest.mark.parametrize("missing", ["config.json", "split.json", "encoder.pt"])
def test_what_a_folder_lacks_is_named(run, tmp_path, missing):
    folder = run("one")
    (tmp_path / "one" / missing).unlink()
    with pytest.raises(InputError, match=f"There is no {missing} in .*one: give the output_dir of a training"):
        check_runs([folder])


def test_two_runs_of_one_name_are_refused(run):
    with pytest.raises(InputError, match="Two runs are called one"):
        check_runs([run("one"), run("elsewhere/one")])
