"""What the settings of a training's step cost and bring: crops a second, memory at most, and how far losses come apart.

`python -m tests.benchmarks.step_settings` trains isimed_pretraining's network on one batch of noise, each row in a
process of its own. Processor time is counted, of the fastest step, which other programs held up least.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import torch
from monai.networks.nets import DenseNet121
from torch.nn.utils import convert_conv3d_weight_memory_format

from scripts.inferers.grad_cache import GradCacheInferer
from scripts.inferers.mixed_precision import MixedPrecisionInferer
from scripts.losses.distance import DistanceLoss

SETTINGS = {
    "grad_cache": [{}, {"chunk": 64}, {"chunk": 32}, {"chunk": 16}],
    "channels_last": [{}, {"channels_last": True}],
    "compile": [{}, {"compile": True}, {"compile": True, "channels_last": True}],
}


def train(
    crops: int, steps: int, amp: bool, chunk: int = 0, channels_last: bool = False, compile: bool = False
) -> dict:
    """Seconds of the fastest step but the first, of the first, gigabytes at most beyond the start's, and losses."""
    own = memory()
    torch.manual_seed(0)
    network, loss = DenseNet121(3, 1, 1024), DistanceLoss()
    if channels_last:
        network = convert_conv3d_weight_memory_format(network, torch.channels_last_3d)
    called = torch.compile(network) if compile else network
    plain = MixedPrecisionInferer(amp)
    inferer = GradCacheInferer(plain, chunk) if chunk else plain
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    image, target = torch.randn(crops, 1, 32, 32, 32), {"location": 50 * torch.randn(crops, 3)}
    seconds, losses = [], []
    for _ in range(steps):
        start = time.process_time()
        optimizer.zero_grad()
        value = loss(inferer(image, called), target)
        value.backward()
        optimizer.step()
        losses.append(value.item())
        seconds.append(time.process_time() - start)
    return {"seconds": min(seconds[1:] or seconds), "first": seconds[0], "gigabytes": memory() - own, "losses": losses}


def memory() -> float:
    """Gigabytes that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def in_a_process(**settings) -> dict:
    """What `train` says, of a process that has done nothing else."""
    words = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.step_settings", "--train", json.dumps(settings)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a row a setting; the first is without any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--of", choices=SETTINGS, default="grad_cache")
    parser.add_argument("--crops", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--train", type=json.loads)
    given = parser.parse_args()
    if given.train:
        print(json.dumps(train(**given.train)))
        return
    plain = None
    for setting in SETTINGS[given.of]:
        row = in_a_process(crops=given.crops, steps=given.steps, amp=given.amp, **setting)
        plain = plain or row
        apart = max(abs(a / b - 1) for a, b in zip(row["losses"], plain["losses"], strict=True))
        rate, share = given.crops / row["seconds"], plain["seconds"] / row["seconds"]
        print(
            f"{json.dumps(setting):40} {rate:6.1f} crops/s, {share:.2f} of plain; {row['gigabytes']:5.2f} GB; "
            f"first step {row['first']:5.1f} s; losses {apart:.0e} apart",
            flush=True,
        )


if __name__ == "__main__":
    main()
