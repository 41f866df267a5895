"""An epoch that goes on in its middle as if it had not been interrupted."""

import random
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader

__all__ = ["RemainingBatches", "random_state"]


class RemainingBatches:
    """Batches of a loader: the first time those that are left of an epoch, afterwards all.

    Those that are done are loaded and thrown away, so that shuffling and transforms, in this process or in workers,
    draw as they did. What else was drawn, such as dropout, is restored with the generators' states.

    Args:
        loader: whose first iteration begins as that of the interrupted epoch did.
        done: batches of it.
        state: a `random_state` after them.
        device: of the network.
    """

    def __init__(self, loader: DataLoader, done: int, state: dict, device: torch.device | None = None) -> None:
        self.loader, self.done, self.state, self.device = loader, done, state, device

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator:
        batches, done, self.done = iter(self.loader), self.done, 0
        for _ in range(done):
            next(batches)
        if done:
            _set_random_state(self.state, self.device)
        return batches


def random_state(device: torch.device | None = None) -> dict:
    """States of Python's, NumPy's and torch's generators, and of a GPU's, as numbers and tensors alone."""
    numpy = np.random.get_state(legacy=False)
    numpy["state"]["key"] = numpy["state"]["key"].tolist()
    state = {"python": random.getstate(), "numpy": numpy, "torch": torch.get_rng_state()}
    return state | ({"gpu": torch.cuda.get_rng_state(device)} if device and device.type == "cuda" else {})


def _set_random_state(state: dict, device: torch.device | None) -> None:
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if device and device.type == "cuda" and "gpu" in state:
        torch.cuda.set_rng_state(state["gpu"], device)
