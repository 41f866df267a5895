"""Checks on real scans, any folder of them: `pytest --scans=FOLDER`."""

import pytest
import torch
from monai.transforms import Compose, CropForegroundd, LoadImaged, Orientationd, RandSpatialCropSamplesd, Spacingd

from scripts.data.audit import check_scans
from scripts.data.cohort import find_scans
from scripts.data.split import split_scans
from scripts.transforms.foreground import body_mask
from scripts.transforms.location import CropLocationd, FrameOrigind
from scripts.transforms.pad_to_crop import PadToCropd
from scripts.transforms.repeatable import Repeatable

pytestmark = pytest.mark.scans


@pytest.fixture(scope="module")
def scans(request, tmp_path_factory):
    folder = request.config.getoption("--scans")
    if folder is None:
        pytest.skip("no --scans FOLDER given")
    made = tmp_path_factory.mktemp("made")
    return find_scans(folder, made, made / "converted")


def test_scans_are_found_and_split_by_subject(scans):
    subjects = [{scan["subject"] for scan in part} for part in split_scans(scans, 0.1, 0.2, seed=0).values()]
    assert not set.intersection(*subjects)
    assert sum(map(len, subjects)) == len({scan["subject"] for scan in scans})


def test_scans_can_be_read(scans):
    check_scans(scans[:10])


def test_crops_lie_in_the_bodys_box(scans):
    steps = [LoadImaged("image", ensure_channel_first=True), Orientationd("image", "RAS", labels=None)]
    steps += [Spacingd("image", (2, 2, 2)), CropForegroundd("image", "image", body_mask, allow_smaller=True)]
    body = Compose([*steps, FrameOrigind("image", "foreground"), PadToCropd("image", [32, 32, 32])])
    draw = RandSpatialCropSamplesd("image", [32, 32, 32], 8, random_size=False)
    crops = Compose([Repeatable(draw), CropLocationd("image")])
    for scan in scans[:4]:
        item = body(scan)
        half = torch.tensor(item["image"].shape[1:]) * 2 / 2
        for crop in crops(item):
            assert (crop["location"].abs() <= half - 31).all()
