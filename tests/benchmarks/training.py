"""Speed of what training spends its time on, each as a ratio to a baseline that is measured in the same run."""

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from monai.bundle import ConfigParser
from monai.networks.nets import DenseNet121

from scripts.data.phantom import make_cohort
from scripts.inferers.mixed_precision import MixedPrecisionInferer, supports_bfloat16
from scripts.losses.distance import DistanceLoss

CROPS = 64
BUNDLES = Path(__file__).parents[2] / "bundles"


def seconds(step, repeats: int = 5) -> float:
    """Median duration after one unmeasured call."""
    step()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def training_step(amp: bool):
    """Forward, loss and backward of the method's network on one default step's crops."""
    network, inferer, loss = DenseNet121(3, 1, 1024), MixedPrecisionInferer(amp), DistanceLoss()
    image = torch.randn(CROPS, 1, 32, 32, 32)
    target = {"location": 50 * torch.randn(CROPS, 3), "scan": torch.arange(CROPS) // 16}
    return lambda: loss(inferer(image, network), target).backward()


def distance_matrix_loss(embedding: torch.Tensor, location: torch.Tensor) -> torch.Tensor:
    """The paper's mean over the full matrix, exact, in the most direct way."""
    exact = {"compute_mode": "donot_use_mm_for_euclid_dist"}
    latent, physical = (torch.cdist(points, points, **exact) for points in (embedding, location))
    return torch.nn.functional.mse_loss(latent, physical)


def loss_step(loss):
    """Forward and backward of a loss on the paper's 1024 crops a step."""
    embedding = torch.randn(1024, 1024, requires_grad=True)
    location = 50 * torch.randn(1024, 3)
    return lambda: loss(embedding, location).backward()


def loading_step(bundle: str, cohort: Path, scans: int):
    """A bundle's next step's crops of so many scans, as a resume within an epoch loads them again."""
    parser = ConfigParser()
    parser.read_config(BUNDLES / bundle / "configs" / "train.json")
    parser.update({"dataset_dir": str(cohort), "val_size": 1, "test_size": 1, "batch_size": scans})
    batches = iter(())

    def step():
        nonlocal batches
        batch = next(batches, None)
        if batch is None:
            batches = iter(loader)
            batch = next(batches)
        assert len(batch["scan"]) == CROPS

    loader = parser.get_parsed_content("train#dataloader")
    return step


def main() -> None:
    """Print the table."""
    print(f"{torch.get_num_threads()} threads, bfloat16 instructions: {supports_bfloat16(torch.device('cpu'))}")
    plain, mixed = seconds(training_step(amp=False)), seconds(training_step(amp=True))
    print(f"training step, float32 (baseline)     {CROPS / plain:7.1f} crops/s  1.00")
    print(f"training step, mixed precision        {CROPS / mixed:7.1f} crops/s  {plain / mixed:.2f} times as fast")
    with TemporaryDirectory() as folder:
        cohort = make_cohort(Path(folder) / "cohort", subjects=6)
        for method, scans in {"isimed": 4, "barlow_twins": 4, "relative_location": 4, "cpc": 1}.items():
            again = seconds(loading_step(f"{method}_pretraining", cohort, scans), repeats=15)
            print(f"loading its crops again, {method:17} {1000 * again:7.0f} ms    {again / plain:.3f} of its time")
    module = DistanceLoss()
    full = seconds(loss_step(distance_matrix_loss))
    pairs = seconds(loss_step(lambda z, c: module(z, {"location": c, "scan": None})))
    print(f"loss of 1024 crops, full matrix (baseline) {1000 * full:7.0f} ms    1.00")
    print(f"loss of 1024 crops, pairs i < j            {1000 * pairs:7.0f} ms    {full / pairs:.2f} times as fast")


if __name__ == "__main__":
    main()
