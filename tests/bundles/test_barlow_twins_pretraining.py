"""The option of this bundle: a projection head."""

from pathlib import Path

import pytest
import torch
from monai.networks.nets import DenseNet121

BUNDLE = Path(__file__).parents[2] / "bundles" / "barlow_twins_pretraining"


@pytest.fixture
def trained(train):
    return train(BUNDLE, "projection_head")


@pytest.mark.slow
def test_a_head_is_trained_and_is_not_in_the_encoder(trained):
    checkpoint, encoder = torch.load(trained / "checkpoint.pt", weights_only=True), DenseNet121(3, 1, 1024)
    assert checkpoint["loss"]["head.0.weight"].shape == (2048, 1024)
    optimized = len(checkpoint["optimizer"]["state"])  # parameters with a step made
    assert optimized == len(list(encoder.parameters())) + len(checkpoint["loss"])
    encoder.load_state_dict(torch.load(trained / "encoder.pt", weights_only=True))


@pytest.mark.slow
def test_a_run_with_a_head_is_resumed(run, small, history, cohort, train, tmp_path):
    overlays, settings = ("train", "projection_head"), small | {"dataset_dir": cohort, "output_dir": tmp_path / "run"}
    run(BUNDLE, *overlays, **settings)
    run(BUNDLE, *overlays, **settings | {"max_epochs": 2}, resume="true")
    assert [row["epoch"] for row in history(tmp_path / "run")] == ["1", "2"]


@pytest.mark.slow
def test_a_run_with_a_head_is_not_resumed_without_it(run, small, cohort, trained):
    settings = small | {"dataset_dir": cohort, "output_dir": trained, "max_epochs": 2}
    output = run(BUNDLE, "train", **settings, resume="true", status=1)
    assert "error: loss is" in output and "Traceback" not in output
