"""Scans of two subjects, as a training prepares them."""

import pytest
from monai.transforms import (
    CropForegroundd,
    LoadImaged,
    Orientationd,
    RandSpatialCropSamplesd,
    ScaleIntensityRangePercentilesd,
    Spacingd,
)

from scripts.transforms.foreground import body_mask
from scripts.transforms.location import CropLocationd, FrameOrigind
from scripts.transforms.pad_to_crop import PadToCropd

SIZE = (8, 8, 8)


@pytest.fixture
def scans(tmp_path, write_scan):
    """Items of a list."""
    paths = [write_scan(tmp_path / "scans" / f"P{i}.nii.gz", (40, 30, 24), seed=i) for i in range(2)]
    return [{"image": str(path), "subject": path.name[:2], "scan": i} for i, path in enumerate(paths)]


@pytest.fixture
def prepared():
    """A function: the transforms that bring a scan to a spacing."""

    def make(spacing: float = 3.0):
        return [
            LoadImaged("image", ensure_channel_first=True),
            Orientationd("image", axcodes="RAS", labels=None),
            Spacingd("image", pixdim=[spacing] * 3),
            CropForegroundd("image", source_key="image", select_fn=body_mask, allow_smaller=True),
            FrameOrigind("image", "foreground"),
            ScaleIntensityRangePercentilesd("image", 5, 95, -1.0, 1.0),
            PadToCropd("image", SIZE),
        ]

    return make


@pytest.fixture
def crops():
    """A function: the transforms that draw crops of a prepared scan."""
    return lambda: [RandSpatialCropSamplesd("image", SIZE, 3, random_size=False), CropLocationd("image")]
