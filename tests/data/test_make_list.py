"""A list that is written is read again."""

from scripts.data.brats import find_brats
from scripts.data.cohort import find_scans


def test_the_list_of_a_data_set_has_its_scans(write_scan, run_module, tmp_path):
    for case in ("BraTS2021_00000", "BraTS2021_00002"):
        for kind in ("t1", "t1ce", "t2", "flair", "seg"):
            write_scan(tmp_path / "in" / case / f"{case}_{kind}.nii.gz", shape=(4, 4, 4), seed=0)
    words = ("brats", tmp_path / "in", tmp_path / "list.csv", "--image", "t2")
    assert run_module("scripts.data.make_list", *words).returncode == 0
    listed = [scan | {"listed": True} for scan in find_brats(tmp_path / "in", "t2")]
    assert find_scans(tmp_path / "list.csv", tmp_path, tmp_path) == listed
