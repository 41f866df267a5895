"""All scans of a list are put into a store, by several processes, before anything is trained on them."""

import logging
import multiprocessing
from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from ...distributed import processes, rank
from ...errors import InputError, counted
from ...progress import with_progress
from ..checks.at_once import scans_at_once
from .prepared_store import PreparedStore, files_of

__all__ = ["prepare_scans"]

logger = logging.getLogger(__name__)


def prepare_scans(store: PreparedStore, scans: Sequence[dict[str, Any]]) -> None:
    """Put those scans into a store that are not there.

    Whoever else does the same at the same time, another training or another process of this one, begins elsewhere in
    the list and passes over what is there by then: nobody waits. What was put there stays if this is stopped.

    Args:
        store: of prepared scans.
        scans: items of a list.

    Raises:
        InputError: a scan cannot be prepared, or the store cannot be written.
    """
    missing = [scan for scan in scans if scan not in store]
    for scan in scans:
        store.mark(scan)
    if not missing:
        return
    first = len(missing) * rank() // processes()
    missing = missing[first:] + missing[:first]
    workers = _workers(store, missing)
    if rank() == 0:
        logger.info(
            f"{store.folder} has {len(scans) - len(missing)} of {counted(len(scans), 'prepared scan')}: "
            f"the others are prepared once, by {counted(max(workers, 1), 'process')}."
        )
    # a generator of its own, so that the draws of a training stay the same
    loader = DataLoader(_Kept(store, missing), None, num_workers=workers, generator=torch.Generator())
    for refusal in with_progress(loader, "Preparing scan", total=len(missing)):
        if refusal:
            raise InputError(refusal)


def _workers(store: PreparedStore, scans: list[dict[str, Any]]) -> int:
    """Processes besides this one: none where one is enough, or where others cannot be given the transforms."""
    number = min(scans_at_once([path for scan in scans for path in files_of(scan)]), len(scans))
    if number > 1 and multiprocessing.get_start_method() != "fork":
        try:
            ForkingPickler.dumps(store)
        except Exception:  # whatever keeps one from being sent, such as a lambda of a configuration
            return 0
    return number if number > 1 else 0


class _Kept(Dataset):
    """Puts a scan into a store where it is asked for; an item is what is to be said if it could not."""

    def __init__(self, store: PreparedStore, scans: list[dict[str, Any]]) -> None:
        self.store, self.scans = store, scans

    def __len__(self) -> int:
        return len(self.scans)

    def __getitem__(self, index: int) -> str:
        try:
            self.store.keep(self.scans[index], len(self.scans) - index)
        except InputError as error:  # which would come from another process with its trace
            return str(error)
        return ""
