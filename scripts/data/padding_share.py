"""Regions that a pretext task is about are of scans, and not for the most part of what these are padded with."""

import logging
from collections.abc import Callable, Sequence
from math import prod
from statistics import median

from ..distributed import by_first
from ..errors import InputError
from .interleaved import interleaved

__all__ = ["check_padding"]

logger = logging.getLogger(__name__)

FIRST = 5  # scans, by which the others are judged
MOST = 0.5  # of a region


@by_first
def check_padding(
    scans: Sequence[dict], preparation: Callable, image: str, region_size: Sequence[int], cure: str
) -> None:
    """Say what share of a region is padding in the median of five scans, or of all where they are fewer, if any is.

    Args:
        scans: each with its `subject`; the five are of as many subjects as can be.
        preparation: from one to a prepared scan.
        image: key of an image, [C, X, Y, Z].
        region_size: voxels, [X, Y, Z], to which scans are padded.
        cure: what is to be given where that is too large for them.

    Raises:
        InputError: more than half of a region is padding.
    """
    first = interleaved(scans)[:FIRST]
    shares = [_share_of_padding(preparation(scan)[image].shape[1:], region_size) for scan in first]
    if not any(shares):
        return
    size, share = " x ".join(map(str, region_size)), median(shares)
    told = f"of a region of {size} voxels, {share:.0%} is padding in the median of {len(shares)} scans"
    if share > MOST:
        raise InputError(f"The task is about more than scans have: {told}. {cure}.")
    logger.info(f"Scans are padded for the task: {told}.")


def _share_of_padding(size: Sequence[int], region_size: Sequence[int]) -> float:
    return 1 - prod(map(min, size, region_size)) / prod(region_size)
