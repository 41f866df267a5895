"""Memory and time of the losses of 1024 crops a step, each beside MONAI's, in processes of their own.

MONAI's NT-Xent needs about 100 GB there: it is measured with a quarter of the crops, and multiplied by 16, since both
its memory and its time are of order N² D.
"""

import multiprocessing
import resource
import statistics
import sys
import time

import torch
from monai.losses import BarlowTwinsLoss, ContrastiveLoss

from scripts.losses.barlow_twins import barlow_twins_loss
from scripts.losses.nt_xent import nt_xent_loss

CROPS, FEATURES = 1024, 1024
# MONAI's loss, the share of the crops that it is measured with, and ours
LOSSES = {
    "Barlow Twins": (BarlowTwinsLoss(lambd=0.0051), 1, barlow_twins_loss),
    "NT-Xent": (ContrastiveLoss(temperature=0.1), 4, nt_xent_loss),
}


def peak_bytes() -> int:
    """Largest memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(name: str, which: int, crops: int, results) -> None:
    """Peak memory beyond what embeddings and libraries take, in MB, and median seconds, of forward and backward."""
    first, second = (torch.randn(crops, FEATURES, requires_grad=True) for _ in range(2))
    (first @ second.T).sum().backward()  # libraries load what they need
    before, loss, times = peak_bytes(), LOSSES[name][which], []
    for _ in range(3):
        start = time.perf_counter()
        loss(first, second).backward()
        times.append(time.perf_counter() - start)
    results.put((max(1, peak_bytes() - before) / 1e6, statistics.median(times)))


def alone(name: str, which: int, crops: int) -> tuple[float, float]:
    """`measure` in a new process, whose memory no other measurement has touched."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=measure, args=(name, which, crops, results))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{name} ended with {process.exitcode}: it may need more memory than there is.")
    return results.get()


def main() -> None:
    """Print the table."""
    print(f"losses of {CROPS} crops x {FEATURES} features, forward and backward")
    for name, (_, share, _) in LOSSES.items():
        stock_mb, stock_seconds = (share**2 * value for value in alone(name, 0, CROPS // share))
        mb, seconds = alone(name, 2, CROPS)
        how = f" ({CROPS // share} crops, times {share**2})" if share > 1 else ""
        print(f"{name:12}  MONAI (baseline) {stock_mb:7.0f} MB  {1000 * stock_seconds:6.0f} ms{how}")
        ratios = f"1/{stock_mb / mb:.0f} of the memory, {stock_seconds / seconds:.1f} times as fast"
        print(f"{name:12}  ours             {mb:7.0f} MB  {1000 * seconds:6.0f} ms  {ratios}")


if __name__ == "__main__":
    main()
