"""How much of the synthetic cohort's lesions position alone and mean intensity alone give away.

A test of an encoder on this cohort is fair as long as both stay well below what an encoder can reach. Run it as
`python tests/benchmarks/phantom_fairness.py`; it takes a few minutes.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from monai.metrics import compute_roc_auc
from monai.transforms import (
    Compose,
    CropForegroundd,
    LoadImaged,
    Orientationd,
    RandCropByPosNegLabeld,
    ScaleIntensityRangePercentilesd,
    Spacingd,
)
from monai.utils import set_determinism

from scripts.data.cohort import find_scans
from scripts.data.phantom import make_cohort
from scripts.probes.ridge import RidgeProbe
from scripts.transforms.foreground import body_mask
from scripts.transforms.location import CropLocationd, FrameOrigind

KEYS = ["image", "label"]
SUBJECTS, CROPS, SPLITS = 48, 40, 10


def crops(scan: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Features [N, 4] (mean intensity; x, y, z in mm) and labels [N] (1: a lesion voxel is inside) of crops."""
    steps = [
        LoadImaged(KEYS, ensure_channel_first=True),
        Orientationd(KEYS, "RAS", labels=None),
        Spacingd(KEYS, (2, 2, 2), mode=("bilinear", "nearest")),
        CropForegroundd(KEYS, "image", body_mask, allow_smaller=True),
        FrameOrigind("image", "foreground"),
        ScaleIntensityRangePercentilesd("image", 5, 95, -1, 1),
        RandCropByPosNegLabeld(KEYS, "label", [32, 32, 32], num_samples=CROPS),
        CropLocationd("image"),
    ]
    items = Compose(steps)(scan)
    features = [torch.cat([item["image"].as_tensor().mean()[None], item["location"]]) for item in items]
    return torch.stack(features), torch.tensor([float(item["label"].max()) for item in items])


def quadratic(features: torch.Tensor) -> torch.Tensor:
    """Features and their products."""
    first, second = torch.triu_indices(features.shape[1], features.shape[1])
    return torch.cat([features, features[:, first] * features[:, second]], 1)


def auc(columns: slice, parts: list, order: torch.Tensor) -> float:
    """ROC AUC on the last half of the subjects of a quadratic model that is fitted to the first half."""

    def gather(indices):
        return (torch.cat([parts[i][j] for i in indices]) for j in (0, 1))

    quarter = len(order) // 4
    train, validate, test = order[:quarter], order[quarter : 2 * quarter], order[2 * quarter :]
    (x, y), (x_val, y_val), (x_test, y_test) = map(gather, (train, validate, test))
    probe = RidgeProbe(quadratic(x[:, columns]), y[:, None], quadratic(x_val[:, columns]), y_val[:, None])
    return float(compute_roc_auc(probe(quadratic(x_test[:, columns]))[:, 0], y_test))


def measure(cohort: Path, seed: int) -> dict[str, torch.Tensor]:
    """AUCs of both baselines, one for each of some random halves of the cohort's subjects."""
    set_determinism(seed)
    parts = [crops(scan) for scan in find_scans(cohort, cohort, cohort)]
    orders = [torch.randperm(len(parts)) for _ in range(SPLITS)]
    baselines = {"position alone": slice(1, 4), "mean intensity alone": slice(0, 1)}
    return {name: torch.tensor([auc(columns, parts, order) for order in orders]) for name, columns in baselines.items()}


def main() -> None:
    """Print the mean AUC, and the largest, over random halves of the subjects, for each seed given (default 0)."""
    for seed in map(int, sys.argv[1:] or ["0"]):
        print(f"seed {seed}: {SUBJECTS} subjects, {CROPS} crops each")
        with TemporaryDirectory() as folder:
            baselines = measure(make_cohort(Path(folder) / "phantom", SUBJECTS, seed), seed)
        for name, values in baselines.items():
            print(f"  {name:21s} AUC {values.mean():.3f} ± {values.std():.3f} (largest {values.max():.3f})")


if __name__ == "__main__":
    main()
