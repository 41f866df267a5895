"""A person sees a bundle's settings without reading its configuration."""

from pathlib import Path

from monai.bundle import ConfigParser

from scripts.runs.list_settings import help_text

CONFIGS = Path(__file__).parents[2] / "bundles" / "isimed_pretraining" / "configs"


def told(*names):
    return help_text(ConfigParser.load_config_files([CONFIGS / f"{name}.json" for name in names]))


def test_each_setting_has_its_default_its_kind_and_its_meaning():
    lines = told("train").splitlines()
    at = lines.index("--spacing [2.0, 2.0, 2.0]")
    assert lines[at + 1].strip() == "three numbers > 0; to which scans are resampled, mm"


def test_an_overlay_adds_its_own_and_changes_defaults():
    text = told("train", "paper", "evaluate")
    assert "--batch_size 64\n" in text and "--evaluation_crops 32\n" in text
