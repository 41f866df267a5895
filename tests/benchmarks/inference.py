"""How long maps of one scan take: windows in batches, against one window at a time."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from time import process_time

import torch
from monai.networks.nets import DenseNet121

from scripts.inferers.grid import GridInferer
from scripts.inferers.mixed_precision import MixedPrecisionInferer
from scripts.inferers.window import WindowInferer
from scripts.networks.channels_last import channels_last

HEAD, PART, CUBE = (96, 96, 80), (64, 64, 48), (48, 48, 48)  # voxels: a head at 2 mm, and parts of one
CROP, ROUNDS = [32, 32, 32], 2

# by what is mapped: an inferer of batches of a size, in mixed precision or not, and the scan's voxels
MAPS: dict[str, tuple[Callable, tuple[int, ...]]] = {
    "lesion map, overlap 0.5": (lambda size, amp: WindowInferer(CROP, 0.5, size, MixedPrecisionInferer(amp)), HEAD),
    "embeddings, map_stride 8": (lambda size, amp: GridInferer(CROP, 8, size, MixedPrecisionInferer(amp)), PART),
    "embeddings, map_stride 4": (lambda size, amp: GridInferer(CROP, 4, size, MixedPrecisionInferer(amp)), CUBE),
}


def seconds(*runs: Callable[[], object]) -> list[float]:
    """Of processors, for each run: the fastest of several, which take turns, as other programs may slow some down."""
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for times, run in zip(found, runs, strict=True):
            began = process_time()
            run()
            times.append(process_time() - began)
    return [min(times) for times in found]


def maps(network: DenseNet121, fast: DenseNet121, amp: bool) -> None:
    """Print how much faster maps are, and by how much they differ."""
    for name, (inferer, box) in MAPS.items():
        scan, (alone, batches) = torch.randn(1, 1, *box), (inferer(size, amp) for size in (1, 64))
        one, batched, last = seconds(
            partial(alone, scan, network), partial(batches, scan, network), partial(batches, scan, fast)
        )
        expected = batches(scan, network)
        away = float((batches(scan, fast) - expected).abs().max() / expected.abs().max())
        print(f"{name}, {'x'.join(map(str, box))} voxels, {'mixed precision' if amp else 'float32'}")
        print(f"  one window at a time: {one:.1f} s")
        print(f"  in batches of 64: {batched:.1f} s, {one / batched:.1f} times as fast")
        print(f"  as they are, in channels-last memory: {last:.1f} s, {one / last:.1f} times; off by {away:.0e}")


def first_layers(network: DenseNet121, amp: bool) -> None:
    """Print the share of the layers before the first block, most that windows could have in common."""
    crops, infer = torch.randn(64, 1, *CROP), MixedPrecisionInferer(amp)
    first, whole = seconds(lambda: infer(crops, network.features[:4]), lambda: infer(crops, network))
    print(f"  of which the first convolution and pooling: {first / whole:.0%}")


def main() -> None:
    """Print all, in mixed precision, where the processor has it, and in float32."""
    torch.manual_seed(0)
    network = DenseNet121(3, 1, 1).eval()
    fast = deepcopy(network)
    channels_last(fast)
    for amp in (True, False):
        maps(network, fast, amp)
        first_layers(fast, amp)


if __name__ == "__main__":
    with torch.no_grad():
        main()
