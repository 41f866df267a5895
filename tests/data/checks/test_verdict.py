"""What is to be done with a scan, from what was found in it."""

import dataclasses
import re
import resource
from pathlib import Path

import numpy as np
import pytest
from monai.data import MetaTensor
from monai.transforms import ScaleIntensityRanged, ScaleIntensityRangePercentilesd, Spacing

from scripts.data.checks import resampled, verdict
from scripts.data.checks.resampled import memory_of_process, resampled_shape
from scripts.data.checks.scan_facts import Facts
from scripts.data.checks.verdict import judge

GOOD = Facts(
    shape=(50, 60, 40),
    affine=tuple(map(tuple, np.diag([2.0, 2.0, 3.0, 1.0]).tolist())),
    highest=130.0,
    box=0.5,
    percentiles=tuple(np.linspace(0, 120, 101)),
    fingerprint="f",
)
PERCENTILES = ScaleIntensityRangePercentilesd("image", 5, 95, -1, 1)


def facts(**changes):
    return dataclasses.replace(GOOD, **changes)


def wide(size):
    return facts(affine=tuple(map(tuple, np.diag([size, size, size, 1.0]).tolist())))


def test_a_good_scan_is_usable():
    assert judge(GOOD, (2, 2, 2), PERCENTILES) == verdict.Verdict("usable", shape=(50, 60, 60))


@pytest.mark.parametrize("seed", range(4))
def test_the_shape_after_resampling_is_that_of_monais_transform(seed, oblique):
    affine, shape = oblique(seed), (20, 30, 10)
    resampled = Spacing((2, 1.5, 4))(MetaTensor(np.zeros((1, *shape), np.float32), affine=affine))
    assert tuple(resampled_shape(shape, affine, (2, 1.5, 4))) == tuple(resampled.shape[1:])


def test_a_scan_that_would_take_too_much_memory_is_refused_in_voxels_and_gigabytes(monkeypatch):
    monkeypatch.setattr(verdict, "memory_of_process", lambda: 16e9)
    found = judge(wide(60.0), (2, 2, 2), None)
    assert found.kind == "faulty"
    numbers = re.search(
        r"([\d,]+) voxels at 2 x 2 x 2 mm.* takes ([\d.]+) GB, more than half of the 16.0 GB", found.reason
    )
    voxels = int(numbers[1].replace(",", ""))
    assert voxels == 1471 * 1771 * 1171 and float(numbers[2]) == pytest.approx(voxels * 64e-9, rel=0.01)


def test_a_limit_of_the_process_is_its_memory(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10**12, 10**12))
    assert memory_of_process() < 10**12
    taken = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (taken + 10**8, -1))
    assert memory_of_process() == pytest.approx(10**8, abs=10**7)


@pytest.mark.parametrize("groups", ["0::/jobs/7/step", "4:memory:/jobs/7/step\n1:cpu:/"])
@pytest.mark.parametrize("limited", ["", "jobs/7", "jobs/7/step"])
def test_what_a_container_or_a_job_of_a_cluster_may_have_is_its_memory(tmp_path, monkeypatch, groups, limited):
    monkeypatch.setattr(resampled, "GROUPS", tmp_path)
    monkeypatch.setattr(resampled, "GROUPS_OF_PROCESS", tmp_path / "cgroup")
    (tmp_path / "cgroup").write_text(groups, encoding="utf-8")
    root, name = (tmp_path / "memory", "limit_in_bytes") if "memory" in groups else (tmp_path, "max")
    for group, limit in {"jobs": "max", limited: "100000000"}.items():
        (root / group).mkdir(parents=True, exist_ok=True)
        (root / group / f"memory.{name}").write_text(f"{limit}\n", encoding="utf-8")
    assert memory_of_process() == 1e8


@pytest.mark.parametrize("size", [0.01, 1700.0])
def test_a_scan_of_one_voxel_or_of_too_many_in_a_row_is_refused(size, monkeypatch):
    monkeypatch.setattr(verdict, "memory_of_process", lambda: 1e17)
    assert re.search(r"would have \d+x\d+x\d+ voxels at 2 x 2 x 2 mm", judge(wide(size), (2, 2, 2), None).reason)


SPARSE = facts(percentiles=(0.0,) * 97 + (5.0, 20.0, 50.0, 130.0))


def test_percentiles_that_are_equal_are_refused_with_the_cure():
    found = judge(SPARSE, (2, 2, 2), PERCENTILES)
    assert found.kind == "faulty" and "percentiles 5 and 95" in found.reason and "ScaleIntensityRanged" in found.reason


def test_percentiles_that_are_nearly_equal_are_refused():
    assert judge(facts(percentiles=(0.0,) * 95 + (0.01,) * 6), (2, 2, 2), PERCENTILES).kind == "faulty"


@pytest.mark.parametrize("intensity", [None, ScaleIntensityRanged("image", 0, 100, -1, 1)])
def test_percentiles_do_not_matter_to_a_window(intensity):
    assert judge(SPARSE, (2, 2, 2), intensity).kind == "usable"


def test_the_percentiles_that_count_are_those_of_the_transform():
    assert judge(SPARSE, (2, 2, 2), ScaleIntensityRangePercentilesd("image", 5, 99, -1, 1)).kind == "usable"


def test_what_looks_like_a_mask_is_one_unless_it_is_listed_as_a_scan():
    assert judge(facts(mask_like=True), (2, 2, 2), None).kind == "mask"
    listed = judge(facts(mask_like=True), (2, 2, 2), None, listed=True)
    assert listed.kind == "suspect" and "listed as a scan" in listed.reason


@pytest.mark.parametrize("found, text", [({"box": 1.0}, "filled by its body's box"), ({"padded": True}, "padded")])
def test_what_is_strange_is_said(found, text):
    suspect = judge(facts(**found), (2, 2, 2), None)
    assert suspect.kind == "suspect" and text in suspect.reason
