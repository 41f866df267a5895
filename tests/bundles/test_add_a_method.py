"""The guide to a method of one's own does what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "add-a-method.md"
NAME, COHORTS = "place_pretraining", "COHORTS_OF_TESTS"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The house with the guide's files in it, composed."""
    folder = tmp_path_factory.mktemp("house")
    tests = (
        "tests/conftest.py",
        "tests/bundles/conftest.py",
        "tests/bundles/test_configs.py",
        "tests/bundles/test_every_bundle.py",
        "tests/bundles/test_pretraining.py",
    )
    (folder / "tests" / "bundles").mkdir(parents=True)
    for part in ("scripts", "tools", "LICENSE", "setup.cfg", "tests/conftest.py", *tests):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    for path, text in re.findall(r"`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-W", "ignore", "-m", "tools.compose", NAME], cwd=folder, check=True)
    return folder


def test_its_test_passes_and_so_do_those_of_every_configuration_and_every_pretraining(house, bodies):
    words = [sys.executable, "-m", "pytest", "tests", "-m", "not (slow and one_of_all)", "-k", "place"]
    done = subprocess.run(
        words, cwd=house, env=os.environ | {COHORTS: str(bodies.parent)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
