"""How far apart the same organ lies in different scans, in each frame: what no encoder can predict.

Run it as `python tests/benchmarks/frames.py FOLDER` on scans with masks of one organ, or of all parts of one.
"""

import sys

import torch
from monai.transforms import Compose, CropForegroundd, LoadImaged, Orientationd, Spacingd

from scripts.data.cohort import find_scans
from scripts.transforms.foreground import body_mask
from scripts.transforms.location import FRAMES, FrameOrigind

KEYS = ["image", "label"]


def organ_centre(scan: dict, frame: str) -> torch.Tensor:
    """Centre of the mask's voxels in a frame, mm, [3]."""
    steps = [
        LoadImaged(KEYS, ensure_channel_first=True),
        Orientationd(KEYS, "RAS", labels=None),
        Spacingd(KEYS, (2, 2, 2), mode=("bilinear", "nearest")),
        CropForegroundd("image", "image", body_mask, allow_smaller=True),
        FrameOrigind("image", frame),
    ]
    item = Compose(steps)(scan)
    voxel = item["label"].as_tensor()[0].nonzero().double().mean(0)
    affine = item["label"].affine
    return affine[:3, :3] @ voxel + affine[:3, 3] - item["origin"]


def main() -> None:
    """Print the mean distance of the centres from their mean, for each frame."""
    scans = [scan for scan in find_scans(sys.argv[1], "synthetic", "converted") if "label" in scan]
    for frame in FRAMES:
        centres = torch.stack([organ_centre(scan, frame) for scan in scans])
        spread = (centres - centres.mean(0)).norm(dim=1).mean()
        print(f"{frame:10s} {spread:5.1f} mm on average from the mean of {len(scans)} scans")


if __name__ == "__main__":
    main()
