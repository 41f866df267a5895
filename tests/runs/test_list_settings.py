"""A person sees a bundle's settings without reading its configuration."""

from pathlib import Path

import pytest

from scripts.errors import InputError
from scripts.runs.list_settings import format_settings

CONFIGS = Path(__file__).parents[2] / "bundles" / "isimed_pretraining" / "configs"


def test_each_setting_has_its_default_its_kind_and_its_meaning():
    lines = format_settings([CONFIGS / "train.json"]).splitlines()
    at = lines.index("--spacing [2.0, 2.0, 2.0]")
    assert lines[at + 1].strip() == "three numbers > 0; to which scans are resampled, mm"


def test_an_overlay_adds_its_own_and_changes_defaults():
    text = format_settings([CONFIGS / "train.json", CONFIGS / "paper.json", CONFIGS / "evaluate.json"])
    assert "--batch_size 64\n" in text and "--evaluation_crops 32\n" in text


def test_a_configuration_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"There is no /no/such\.json: give configurations of a bundle"):
        format_settings(["/no/such.json"])
