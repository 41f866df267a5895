"""Lesion maps as their users make and judge them."""

import csv
from pathlib import Path

import nibabel
import numpy as np
import pytest

from scripts.data.phantom import make_cohort

BUNDLE = Path(__file__).parents[2] / "bundles" / "lesion_map_segmentation"

pytestmark = pytest.mark.slow


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def ill(tmp_path_factory):
    """Four bodies, of which two have lesions."""
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=4, lesions="large")


@pytest.fixture(scope="module")
def evaluated(run, ill, elsewhere, tmp_path_factory):
    """Folder of an evaluation, and what it printed."""
    output = tmp_path_factory.mktemp("evaluated")
    settings = {"dataset_dir": ill, "output_dir": output, "overlap": 0}
    return output, run(BUNDLE, "inference", "evaluate", cwd=elsewhere, **settings)


def test_masks_are_judged_beside_the_body_and_its_brightest_voxels(evaluated):
    metrics = dict(rows(evaluated[0] / "metrics.csv"))
    assert metrics.keys() == {"dice", "dice_body", "dice_bright"}
    assert all(0 < float(value) < 1 for value in metrics.values())


def test_scans_without_a_lesion_are_not_judged_and_that_is_said(evaluated):
    output, said = evaluated
    assert len(rows(output / "dice_raw.csv")) == 1 + 2
    assert "2 scans without a lesion are left out" in said


def test_whose_weights_they_are_is_said(evaluated):
    assert "These weights know synthetic bodies alone" in evaluated[1]


def test_where_masks_are_is_said(evaluated):
    output, said = evaluated
    assert f"The table of volumes of scans, and their masks beside it: {output / 'masks.csv'}" in said


def test_a_masks_dice_is_that_of_its_file(evaluated, ill):
    output, _ = evaluated
    judged = {Path(path).name: float(dice) for path, dice, _ in rows(output / "dice_raw.csv")[1:]}
    for image, _, mask, _ in rows(output / "masks.csv")[1:]:
        found, label = (
            nibabel.load(path).get_fdata() > 0 for path in (output / mask, ill / "labelsTr" / Path(image).name)
        )
        dice = 2 * np.sum(found & label) / (found.sum() + label.sum())
        assert judged[Path(image).name] == pytest.approx(dice, abs=1e-6)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"threshold": 2}, "error: threshold is 2: give a number >= 0 and <= 1"),
        ({"overlap": 1.5}, "error: overlap is 1.5: give a number >= 0 and < 1"),
        ({"threshhold": 0.5}, "error: Nothing in this configuration uses the key threshhold: did you mean threshold"),
        ({"spacing": "[3.0,3.0,3.0]"}, "error: spacing is [3.0, 3.0, 3.0], but the run in"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(run, ill, tmp_path, overrides, sentence):
    output = run(BUNDLE, "inference", status=1, dataset_dir=ill, output_dir=tmp_path, **overrides)
    assert sentence in output and "Traceback" not in output
