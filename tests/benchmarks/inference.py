"""How long a lesion map of one scan takes: windows in batches, against one window at a time."""

import time

import torch
from monai.networks.nets import DenseNet121

from scripts.inferers.mixed_precision import MixedPrecisionInferer
from scripts.inferers.window import WindowInferer

BOX = (96, 96, 80)  # voxels of a head at 2 mm


def seconds(batch_size: int) -> float:
    """The faster of two runs."""
    torch.manual_seed(0)
    network, scan = DenseNet121(3, 1, 1).eval(), torch.randn(1, 1, *BOX)
    infer, found = WindowInferer([32, 32, 32], 0.5, batch_size, MixedPrecisionInferer()), []
    with torch.no_grad():
        for _ in range(2):
            began = time.perf_counter()
            infer(scan, network)
            found.append(time.perf_counter() - began)
    return min(found)


def main() -> None:
    """Print both times and their ratio."""
    alone, batched = seconds(1), seconds(32)
    size = "x".join(map(str, BOX))
    print(f"lesion map of {size} voxels, one window at a time: {alone:.2f} s")
    print(f"  in batches of 32 windows: {batched:.2f} s, {alone / batched:.1f} times as fast")


if __name__ == "__main__":
    main()
