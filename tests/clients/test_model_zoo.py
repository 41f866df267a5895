"""The Model Zoo's own checks of a bundle pass: schema, version, files, network, TorchScript."""

import shutil
import sys
from pathlib import Path


def test_the_model_zoos_full_verification_passes(given, request, bundle, unzip, call, tmp_path):
    zoo = Path(given("--zoo"))
    shutil.copytree(zoo / "ci", tmp_path / "ci")
    (tmp_path / "models").mkdir()
    shutil.copy(zoo / "models" / "model_info.json", tmp_path / "models")
    unpacked = unzip(bundle.name, tmp_path / "models")
    if request.config.getoption("--schema"):  # else it is downloaded
        (unpacked / "eval").mkdir()
        shutil.copy(given("--schema"), unpacked / "eval" / "schema.json")
    done = call([sys.executable, "-W", "ignore", "ci/verify_bundle.py", "-b", bundle.name, "-m", "full"], tmp_path)
    assert "data shape is verified correctly" in done and "TorchScript module successfully" in done
