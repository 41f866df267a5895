"""How well intensities alone place a crop: histograms of octants, as evaluations have them, and what they replace.

Run it as `python tests/benchmarks/intensity_location.py SCANS RUN`, with the folder of a training run for its split.
"""

import sys
from pathlib import Path

import torch
from monai.bundle import ConfigParser
from torch.nn.functional import adaptive_avg_pool3d

from scripts.probes.ridge import RidgeProbe
from scripts.transforms.histogram import histogram, octant_histograms

BUNDLE = Path(__file__).parents[2] / "bundles" / "isimed_pretraining"


def roots(values: torch.Tensor) -> torch.Tensor:
    """Square roots of a histogram's shares, [34]."""
    return histogram(values, low=-2.0, high=2.0).sqrt()


WAYS = {
    "averages of 8 x 8 x 8 blocks": lambda crop: adaptive_avg_pool3d(crop, 8).flatten(),
    "histogram": roots,
    "histograms of octants": octant_histograms,
}


def main() -> None:
    """Print the location error of a ridge probe on test crops, mm, of each way to read intensities."""
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", "evaluate")])
    parser.update({"bundle_root": str(BUNDLE), "dataset_dir": sys.argv[1], "run_dir": sys.argv[2]})
    parser.update({"structures": "none", "num_workers": 0})
    loaders = parser.get_parsed_content("evaluate#loaders")
    parts = {part: list(loader) for part, loader in loaders.items()}
    location = {part: torch.cat([batch["location"] for batch in batches]) for part, batches in parts.items()}
    for name, way in WAYS.items():
        read = {part: torch.stack([way(crop) for batch in parts[part] for crop in batch["image"]]) for part in parts}
        probe = RidgeProbe(read["train"], location["train"], read["validate"], location["validate"])
        missed = (probe(read["test"]) - location["test"]).norm(dim=1).mean()
        print(f"{name:30s} {missed:5.1f} mm")


if __name__ == "__main__":
    main()
