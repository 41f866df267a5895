"""Nothing that a file can hold makes the audit raise, nor the transforms behind it; many more: `make fuzz`."""

import importlib.util
from pathlib import Path

import pytest
from monai.bundle import ConfigParser
from monai.transforms import Compose

from scripts.data.checks import verdict, whole_file
from scripts.data.checks.scan_facts import examine
from scripts.data.checks.verdict import judge

FUZZ = Path(__file__).parents[1] / "benchmarks" / "fuzz_scans.py"


@pytest.fixture
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz_scans", FUZZ)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _small_machine(monkeypatch):
    for module in (verdict, whole_file):
        monkeypatch.setattr(module, "memory_of_process", lambda: 4e7)


@pytest.fixture
def prepared(fuzz):
    """Spacing, intensity and preprocessing of a pretraining."""
    parser = ConfigParser()
    parser.read_config(fuzz.CONFIG)
    keys = ("spacing", "intensity", "train#preprocessing")
    spacing, intensity, preprocessing = (parser.get_parsed_content(key) for key in keys)
    return spacing, intensity, Compose(preprocessing.transforms)


def test_mutated_files_are_refused_or_can_be_trained_on(fuzz, prepared, tmp_path):
    spacing, intensity, prepare = prepared
    outcomes = {}
    for number, (suffix, content) in enumerate(fuzz.files(200)):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content)
        outcomes[number] = fuzz.outcome(path, lambda path: judge(examine(path), spacing, intensity), prepare)
    others = {number: said for number, said in outcomes.items() if said[0] not in ("accepted", "refused")}
    assert not others
    assert {said[0] for said in outcomes.values()} == {"accepted", "refused"}
