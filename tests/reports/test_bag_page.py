"""The page of what scans are said to be."""

import re

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from scripts.handlers.save_bags import ShownBag
from scripts.reports.bag_page import write_bag_page


@pytest.fixture
def page(write_scan, oblique, tmp_path):
    """A function: the page of a scan, whose scores before a correction are given."""

    def text(before):
        path = write_scan(tmp_path / "scan.nii.gz", seed=3)
        affine = torch.from_numpy(oblique(3) @ np.diag([4, 4, 4, 1]))
        names = ["local", "attention", "contribution", *(["contribution before"] if before else [])]
        maps = {name: MetaTensor(torch.rand(1, 5, 4, 4), affine=affine) for name in names}
        place = tuple((oblique(3) @ [10, 9, 8, 1])[:3].tolist())
        scan = ShownBag("scan<1>", str(path), {"none": 0.25, "lesion": 0.75}, before, "lesion", place, maps)
        write_bag_page(tmp_path / "report.html", [scan], 3)
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return text


def test_a_scan_has_three_planes_of_the_image_and_of_each_map(page):
    text = page({})
    assert re.findall(r'alt="(\w+)"', text) == [
        w for w in ("image", "local", "attention", "contribution") for _ in "123"
    ]
    assert "The first 1 of 3" in text and "scan&lt;1&gt;" in text and "before" not in text.partition("<body>")[2]


def test_a_corrected_scan_has_its_scores_and_contributions_before(page):
    text = page({"none": 0.5, "lesion": 0.5})
    assert "before the correction 0.500" in text and text.count('alt="contribution before"') == 3
