"""A training from a store is the training that it is without one."""

from pathlib import Path

import pytest

BUNDLE = Path(__file__).parents[2] / "bundles" / "isimed_pretraining"

pytestmark = pytest.mark.slow


def test_losses_are_the_same_with_a_store(run, train, small, cohort, history, tmp_path):
    folders = {"output_dir": tmp_path / "run", "store_dir": tmp_path / "store"}
    run(BUNDLE, "train", dataset_dir=cohort, **folders, **small)
    (stored,), (in_memory,) = history(tmp_path / "run"), history(train(BUNDLE))
    losses = [name for name in stored if "loss" in name]
    assert losses and [stored[name] for name in losses] == [in_memory[name] for name in losses]
    assert len(list((tmp_path / "store").iterdir())) == 3  # of four scans, one is tested
