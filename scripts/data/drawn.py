"""Several draws of each scan as items of their own."""

from collections.abc import Callable, Sequence
from typing import Any

from torch.utils.data import Dataset

from ..progress import with_progress
from .interleaved import interleaved

__all__ = ["Drawn"]


class Drawn(Dataset):
    """One draw an item: the first of all scans, `interleaved`, then the second of all, so that a batch is of many.

    Args:
        scans: each with its `subject`.
        preparation: from one to a prepared scan.
        draw: from that and the number of a draw to what is drawn, the same each time, as `Repeatable` does.
        draws: of each scan.
        cache_rate: share of the scans whose draws are kept. Another one is prepared for each of its draws.
    """

    def __init__(
        self,
        scans: Sequence[dict],
        preparation: Callable,
        draw: Callable[[Any, int], Any],
        draws: int,
        cache_rate: float = 1.0,
    ) -> None:
        self.scans, self.preparation, self.draw, self.draws = interleaved(scans), preparation, draw, draws
        kept = self.scans[: int(cache_rate * len(scans))]
        self.kept = [self._all_draws(scan) for scan in with_progress(kept, "Preparing scan to be kept in memory:")]

    def __len__(self) -> int:
        return len(self.scans) * self.draws

    def __getitem__(self, index: int) -> Any:
        number, scan = divmod(index, len(self.scans))
        if scan < len(self.kept):
            return self.kept[scan][number]
        return self.draw(self.preparation(self.scans[scan]), number)

    def _all_draws(self, scan: dict) -> list:
        prepared = self.preparation(scan)
        return [self.draw(prepared, number) for number in range(self.draws)]
