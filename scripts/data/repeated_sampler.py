"""How often scans come in an epoch of several processes, whatever their number."""

import math
from collections.abc import Iterator, Sized

import torch
from torch.utils.data import DistributedSampler

__all__ = ["RepeatedSampler"]


class RepeatedSampler(DistributedSampler):
    """Rounds of all items, each in an order of its own, until an epoch is full: `RandomSampler` of several processes.

    Ignite's `DistributedProxySampler` around the latter seeds torch itself with the number of the epoch, so that order
    and dropout would not depend on a run's seed any more, and all processes would drop the same units.

    Args:
        dataset: whose items are drawn.
        number: of them in an epoch, in all processes together, rounded up to a multiple of these; None: each once.
        kwargs: `num_replicas`, `rank` and `seed` of `DistributedSampler`.

    Example:
        >>> sampler = RepeatedSampler(range(3), number=5, num_replicas=2, rank=0)
        >>> len(list(sampler))
        3
    """

    def __init__(self, dataset: Sized, number: int | None = None, **kwargs) -> None:
        super().__init__(range(number or len(dataset)), **kwargs)  # type: ignore[arg-type]  # it asks for len alone
        self.items = len(dataset)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        rounds = math.ceil(self.total_size / self.items)
        order = torch.cat([torch.randperm(self.items, generator=generator) for _ in range(rounds)])
        return iter(order[self.rank : self.total_size : self.num_replicas].tolist())
