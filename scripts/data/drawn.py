"""Several draws of each scan as items of their own."""

from collections.abc import Sequence
from typing import Any

from torch.utils.data import Dataset

__all__ = ["Drawn"]


class Drawn(Dataset):
    """One draw an item: the first of all scans, then the second of all, so that a batch is of different scans.

    Args:
        dataset: of scans, each a list of draws.
        draws: of each scan.
    """

    def __init__(self, dataset: Sequence[Sequence[Any]], draws: int) -> None:
        self.dataset, self.draws = dataset, draws

    def __len__(self) -> int:
        return len(self.dataset) * self.draws

    def __getitem__(self, index: int) -> Any:
        draw, scan = divmod(index, len(self.dataset))
        return self.dataset[scan][draw]
