"""The synthetic cohort is a fair test: lesions and places are not given away."""

import sys
from pathlib import Path

import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.inferers import SimpleInferer
from monai.networks.nets import DenseNet121
from monai.transforms import (
    Compose,
    CropForegroundd,
    LoadImaged,
    Orientationd,
    RandSpatialCropSamplesd,
    ScaleIntensityRangePercentilesd,
    Spacingd,
)

from scripts.data.cohort import find_scans
from scripts.data.phantom import make_cohort
from scripts.engines.batches import PrepareBatch
from scripts.evaluation.encoder import embed, encoder_metrics
from scripts.inferers.batch import BatchInferer
from scripts.transforms.foreground import body_mask
from scripts.transforms.location import CropLocationd, FrameOrigind
from scripts.transforms.pad_to_crop import PadToCropd
from scripts.transforms.repeatable import Repeatable

sys.path.insert(0, str(Path(__file__).parent))
from phantom_fairness import measure

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return make_cohort(tmp_path_factory.mktemp("cohorts") / "phantom", subjects=24)


def test_lesions_are_told_neither_by_position_nor_by_mean_intensity(cohort):
    for name, values in measure(cohort, seed=0).items():
        assert values.mean() < 0.75, name


def test_an_untrained_encoder_leaves_room(cohort):
    torch.manual_seed(0)
    steps = [LoadImaged("image", ensure_channel_first=True), Orientationd("image", "RAS", labels=None)]
    steps += [Spacingd("image", (2, 2, 2)), CropForegroundd("image", "image", body_mask, allow_smaller=True)]
    steps += [FrameOrigind("image", "foreground"), ScaleIntensityRangePercentilesd("image", 5, 95, -1, 1)]
    draw = RandSpatialCropSamplesd("image", [32, 32, 32], 16, random_size=False)
    steps += [PadToCropd("image", [32, 32, 32]), Repeatable(draw), CropLocationd("image")]
    scans, network = find_scans(cohort, cohort, cohort), DenseNet121(3, 1, 1024)
    parts = {"train": scans[:16], "validate": scans[16:19], "test": scans[19:]}
    loaders = {name: DataLoader(Dataset(part, Compose(steps)), batch_size=4) for name, part in parts.items()}
    run = BatchInferer(PrepareBatch(), SimpleInferer(), "cpu")
    crops = {name: embed([network], loader, run)[0] for name, loader in loaders.items()}
    metrics = encoder_metrics(**crops)
    assert metrics["location_error_mm"] > 12
    assert max(metrics["location_r2"]) < 0.93
