"""What is measured on a GPU is measured on a CPU too, with a small network."""

import sys
from pathlib import Path

import pytest

from scripts.data.phantom import make_cohort

sys.path.insert(0, str(Path(__file__).parent))
from gpu import line, measure, peak

pytestmark = pytest.mark.slow

NETWORK = {"_target_": "DenseNet", "init_features": 4, "growth_rate": 4, "block_config": [1, 1]}
SMALL = {"spacing": [4.0, 4.0, 4.0], **{f"network_def#{key}": value for key, value in NETWORK.items()}}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=4)


@pytest.mark.parametrize("bundle", ["isimed_pretraining", "simclr_pretraining"])
def test_twice_the_crops_are_twice_the_operations(bundle, cohort):
    few, many = (measure(bundle, cohort, crops, 2, **SMALL) for crops in (16, 32))
    assert many.operations == pytest.approx(2 * few.operations, rel=0.01)
    assert min(few.waits, few.computes) > 0


def test_a_row_says_which_share_of_the_peak_is_reached(cohort):
    speed = measure("isimed_pretraining", cohort, 8, 1, **SMALL)
    row = line(speed, speed.operations / speed.computes).split()
    assert (row[0], row[-2], row[-1]) == ("8", "100.0%", "-") and peak(64) > 0
