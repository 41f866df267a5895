"""The synthetic cohort is a fair test: lesions are not given away."""

import sys
from pathlib import Path

import pytest

from scripts.data.phantom import make_cohort

sys.path.insert(0, str(Path(__file__).parent))
from phantom_fairness import measure

pytestmark = pytest.mark.slow


def test_lesions_are_told_neither_by_position_nor_by_mean_intensity(tmp_path):
    for name, values in measure(make_cohort(tmp_path / "phantom", subjects=24), seed=0).items():
        assert values.mean() < 0.75, name
