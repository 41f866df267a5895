"""What a training of a bundle gets out of a device: crops a second, share of its peak, waits for data, memory.

Each line is steps of the bundle's own trainer on a synthetic cohort, which is kept in memory, after one that is not
measured. The peak is that of a product of large bfloat16 matrices on the same device; operations are counted by torch,
of convolutions and products alone. Out of memory ends a line, and so the table.
"""

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from ignite.engine import Events
from monai.bundle import ConfigParser
from torch.utils.flop_counter import FlopCounterMode

from scripts.data.phantom import make_cohort

BUNDLES = Path(__file__).parents[2] / "bundles"


@dataclass
class Speed:
    """Of a step, in the median."""

    crops: int
    waits: float  # seconds, for its data
    computes: float  # seconds
    operations: float
    gigabytes: float | None  # at most, on a GPU


class Clock:
    """Attached to a trainer, the seconds that each step waits and computes; a device that is behind is waited for."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.computes: list[float] = []

    def attach(self, engine) -> None:
        engine.add_event_handler(Events.GET_BATCH_STARTED, self._start)
        engine.add_event_handler(Events.GET_BATCH_COMPLETED, lambda: self.waits.append(self._since()))
        engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: self.computes.append(self._since()))

    def _start(self) -> None:
        synchronize()
        self.last = time.perf_counter()

    def _since(self) -> float:
        synchronize()
        before, self.last = self.last, time.perf_counter()
        return self.last - before


def synchronize() -> None:
    """Wait until a GPU, if there is one, has done all that it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def peak(size: int, repeats: int = 5) -> float:
    """Operations a second of a product of two [size, size] matrices in bfloat16."""
    matrix, times = torch.randn(size, size, device=device(), dtype=torch.bfloat16), []
    for _ in range(repeats):
        synchronize()
        start = time.perf_counter()
        matrix @ matrix
        synchronize()
        times.append(time.perf_counter() - start)
    return 2 * size**3 / min(times)


def trainer_of(bundle: str, cohort: Path, crops: int, steps: int, **settings):
    """A bundle's trainer of so many steps an epoch of so many crops, 16 a scan where there are as many."""
    parser = ConfigParser()
    parser.read_config(BUNDLES / bundle / "configs" / "train.json")
    each = min(16, crops)
    given = {"dataset_dir": str(cohort), "val_size": 1, "test_size": 1, "max_epochs": 1, "train#handlers": []}
    parser.update(given | {"crops_per_volume": each, "batch_size": crops // each} | settings)
    parser["train"]["dataloader"]["shuffle"] = False
    parser["train"]["dataloader"]["sampler"] = {
        "_target_": "torch.utils.data.RandomSampler",
        "data_source": "@train#dataset",
        "replacement": True,
        "num_samples": steps * (crops // each),
    }
    return parser.get_parsed_content("train#trainer")


def measure(bundle: str, cohort: Path, crops: int, steps: int, **settings) -> Speed:
    """How fast a bundle trains with so many crops a step; the first of the steps is not measured."""
    with FlopCounterMode(display=False) as counter:
        trainer_of(bundle, cohort, crops, 1, **settings).run()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    trainer, clock = trainer_of(bundle, cohort, crops, steps + 1, **settings), Clock()
    clock.attach(trainer)
    trainer.run()
    waits, computes = (statistics.median(times[1 : steps + 1]) for times in (clock.waits, clock.computes))
    gigabytes = torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else None
    return Speed(crops, waits, computes, counter.get_total_flops(), gigabytes)


def line(speed: Speed, most: float) -> str:
    """A row of the table, where so many operations a second are the device's peak."""
    both, memory = speed.waits + speed.computes, "-" if speed.gigabytes is None else f"{speed.gigabytes:.1f}"
    return (
        f"{speed.crops:6} {speed.crops / both:9.1f} {speed.crops / speed.computes:9.1f} {speed.waits / both:9.0%} "
        f"{speed.operations / speed.computes / 1e12:9.2f} {speed.operations / speed.computes / most:9.1%} {memory:>9}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="isimed_pretraining")
    parser.add_argument("--crops", type=int, nargs="+", default=[64, 256, 1024, 4096], help="of a step")
    parser.add_argument("--steps", type=int, default=10, help="that are measured")
    parser.add_argument("--num_workers", type=int, default=0, help="processes that load crops")
    parser.add_argument("--matrix", type=int, default=8192, help="size of the matrices whose product is the peak")
    given = parser.parse_args()
    most = peak(given.matrix)
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(f"{given.bundle} on {name}; {given.num_workers} workers; peak {most / 1e12:.2f} TFLOP/s in bfloat16")
    print(" crops   crops/s   without      wait   TFLOP/s   of peak  peak GB\n          with data")
    with TemporaryDirectory() as folder:
        cohort = make_cohort(Path(folder) / "cohort", subjects=6)
        for crops in given.crops:
            settings = {"num_workers": given.num_workers}
            print(line(measure(given.bundle, cohort, crops, given.steps, **settings), most), flush=True)


if __name__ == "__main__":
    main()
