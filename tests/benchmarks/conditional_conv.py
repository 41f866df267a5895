"""What conditional convolutions cost a training step of DrasCLR's encoder, as a ratio to plain ones.

Steps of both take turns, so that what else the machine does slows both alike.
"""

import statistics
import time

import torch

from scripts.inferers.mixed_precision import MixedPrecisionInferer
from scripts.networks.drasclr_encoder import DrasCLREncoder

CROPS, STEPS = 64, 7
EXPERTS = (1, 8)  # 1: plain convolutions


def seconds(network: torch.nn.Module, inferer: MixedPrecisionInferer) -> float:
    """Forward and backward of crops of different places."""
    image, place = torch.randn(CROPS, 1, 32, 32, 32), torch.rand(CROPS, 3) * 2 - 1
    began = time.perf_counter()
    inferer(image, network, place).square().sum().backward()
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    print(f"{CROPS} crops of 32x32x32, forward and backward, {torch.get_num_threads()} threads")
    for amp, name in ((False, "float32"), (True, "mixed precision")):
        networks = [DrasCLREncoder(experts=experts) for experts in EXPERTS]
        inferer = MixedPrecisionInferer(amp)
        rounds = [[seconds(network, inferer) for network in networks] for _ in range(STEPS)][1:]
        plain, conditional = (statistics.median(times) for times in zip(*rounds, strict=True))
        ratio = statistics.median(other / one for one, other in rounds)
        print(f"{name:16} plain {plain:.2f} s (baseline), {EXPERTS[1]} experts {conditional:.2f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
