"""What is to be known of a scan is found in its file."""

import numpy as np
import pytest

from scripts.data.checks.scan_facts import examine


def test_facts_are_those_of_the_voxels_and_of_the_affine(tmp_path, write_scan):
    facts = examine(write_scan(tmp_path / "scan.nii.gz", voxels=np.arange(504.0).reshape(9, 8, 7)))
    assert (facts.fault, facts.shape, facts.lowest, facts.highest) == ("", (9, 8, 7), 0, 503)
    assert facts.spacing == pytest.approx((1.5, 2.5, 3.5))


def test_a_scan_of_one_value_is_constant(tmp_path, write_scan):
    assert examine(write_scan(tmp_path / "scan.nii.gz", voxels=np.ones((9, 8, 7)))).fault == "is constant"


def test_the_fault_of_a_file_that_is_not_there_may_pass(tmp_path):
    facts = examine(tmp_path / "scan.nii.gz")
    assert facts.fault == "is not there" and facts.passing
